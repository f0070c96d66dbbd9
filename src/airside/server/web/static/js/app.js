// What every page runs: theme, keys, the addresses that the mlflow client prints, the live stream.
import { drops } from "./drops.js";
import { lead } from "./lead.js";
import { followLive } from "./live.js";
import { keys } from "./keys.js";
import { theme } from "./theme.js";

lead();
theme();
keys();
drops();
followLive();

// A write from a page carries the token that proves that the page asked for it.
document.addEventListener("htmx:config:request", (event) => {
  const token = document.querySelector('meta[name="airside-csrf"]');
  if (token && event.detail.ctx) event.detail.ctx.request.headers["X-Airside-CSRF"] = token.content;
});

// A wide graph opens with the record that it is about in sight.
for (const box of document.querySelectorAll(".scroll")) {
  const own = box.querySelector(".node.own");
  if (own) box.scrollLeft = own.getBoundingClientRect().left - box.getBoundingClientRect().left - box.clientWidth / 3;
}

// Single keys, off in fields: / search, t theme, g then c e d p n m a for the pages, j k Enter for the rows of a table.
import { BASE } from "./base.js";
import { toggle } from "./theme.js";

const PLACES = { c: "/", e: "/experiments", d: "/datasets", p: "/pipelines", n: "/endpoints", m: "/monitors", a: "/alerts" };
let went = 0;

function isField(element) {
  return element.closest("input, textarea, select, [contenteditable]") !== null;
}

function rowLinks() {
  return [...document.querySelectorAll("main table.data tbody tr > :first-child a")];
}

function move(by) {
  const links = rowLinks();
  if (!links.length) return;
  const at = links.indexOf(document.activeElement);
  links[Math.min(Math.max(at + by, 0), links.length - 1)].focus();
}

const ACTIONS = {
  "/": () => document.getElementById("find").focus(),
  t: toggle,
  j: () => move(1),
  k: () => move(-1),
};

export function keys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.timeStamp - went < 1200 && PLACES[event.key]) {
      location.assign(BASE + PLACES[event.key]);
    } else if (event.key === "g") {
      went = event.timeStamp;
    } else if (ACTIONS[event.key]) {
      event.preventDefault();
      ACTIONS[event.key]();
    }
  });
}

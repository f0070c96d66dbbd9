// <air-table>: a table that a run logged, drawn from its file when it comes near.
import { tableOf } from "./preview.js";

const MAX_BYTES = 4 * 1024 ** 2;

class Logged extends HTMLElement {
  connectedCallback() {
    this.watch = new IntersectionObserver(([entry]) => entry.isIntersecting && this.load(), { rootMargin: "200px" });
    this.watch.observe(this);
  }

  disconnectedCallback() {
    this.watch.disconnect();
  }

  say(text) {
    const line = document.createElement("p");
    line.className = "muted";
    line.textContent = text;
    this.replaceChildren(line);
  }

  async load() {
    this.watch.disconnect();
    const answer = await fetch(this.dataset.file).catch(() => null);
    if (!answer?.ok) return this.say("It could not be read.");
    if (Number(answer.headers.get("content-length") ?? 0) > MAX_BYTES) return this.say("A table of more than 4 MiB: it is among the artifacts.");
    try {
      const drawn = tableOf(await answer.text());
      return drawn ? this.replaceChildren(drawn) : this.say("This is no table.");
    } catch {
      return this.say("This is no table.");
    }
  }
}

customElements.define("air-table", Logged);

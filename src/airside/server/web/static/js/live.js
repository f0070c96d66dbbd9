// Live pages: a stream tells which topics moved, and the blocks that show them ask for themselves again.
// One stream for all tabs of a browser (a SharedWorker); without it, every block asks again each 5 s.

const POLL_MS = 5000;
const MAX_POLLS = 720; // an hour: then the page waits for its reader to come back
const WORDS = { live: "live", paused: "paused", reconnecting: "reconnecting" };

function blocks() {
  return [...document.querySelectorAll("[data-live]")];
}

function topicsOf(block) {
  return block.dataset.live.split(" ").filter(Boolean).map(decodeURIComponent);
}

/** Tell the blocks of a topic (null: all of them) to ask again. */
function tell(topic) {
  for (const block of blocks()) {
    if (topic === null || topicsOf(block).includes(topic)) block.dispatchEvent(new CustomEvent("live"));
  }
}

function say(state) {
  const dot = document.querySelector(".live-state");
  dot.hidden = false;
  dot.dataset.state = state;
  dot.firstElementChild.textContent = WORDS[state];
  dot.setAttribute("aria-label", `Updates: ${WORDS[state]}`);
}

function poll() {
  say("live");
  setInterval(() => document.hidden || tell(null), POLL_MS);
}

/** What is measured is not announced: blocks that show something running ask every 5 s, while they are looked at. */
function pollRunning() {
  let left = MAX_POLLS;
  setInterval(() => {
    if (document.hidden || left <= 0) return;
    const running = document.querySelectorAll("[data-poll]");
    if (running.length) left -= 1;
    for (const block of running) block.dispatchEvent(new CustomEvent("live"));
  }, POLL_MS);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) left = MAX_POLLS;
  });
}

export function followLive() {
  pollRunning();
  const topics = [...new Set(blocks().flatMap(topicsOf))];
  if (!topics.length) return;
  if (typeof SharedWorker === "undefined") {
    poll();
    return;
  }
  const worker = new SharedWorker(new URL("./live-worker.js", import.meta.url), { type: "module", name: "airside-live" });
  worker.onerror = poll;
  const ask = () => worker.port.postMessage({ topics: document.hidden ? [] : topics });
  worker.port.onmessage = ({ data }) => {
    if (data.state) say(document.hidden ? "paused" : data.state);
    if (data.reload) tell(null);
    if (data.topic) tell(data.topic);
  };
  worker.port.start();
  ask();
  document.addEventListener("visibilitychange", () => {
    ask();
    if (document.hidden) say("paused");
    else tell(null);
  });
  addEventListener("pagehide", () => worker.port.postMessage({ topics: [], gone: true }));
}

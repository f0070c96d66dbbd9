// The one stream of a browser: the union of what its tabs want to hear of. It carries ids and numbers, no data.
// After a break or a gap in the numbers it tells every tab to ask again for all that it shows.

const ports = new Map(); // port -> topics
let source = null;
let listening = "";
let lastSeq = null;
let state = "reconnecting";

function send(message) {
  for (const port of ports.keys()) port.postMessage(message);
}

function setState(next) {
  state = next;
  send({ state });
}

function heard(event) {
  const { topic, seq } = JSON.parse(event.data);
  lastSeq = Math.max(lastSeq ?? 0, seq);
  for (const [port, topics] of ports) if (topics.includes(topic)) port.postMessage({ topic, seq });
}

function connect() {
  const topics = [...new Set([...ports.values()].flat())].sort();
  const wanted = topics.join(",");
  if (wanted === listening && source && source.readyState !== EventSource.CLOSED) return;
  if (source) source.close();
  source = null;
  listening = wanted;
  if (!topics.length) return;
  const prefix = self.location.pathname.split("/static/")[0]; // of a server that answers below a path
  const opened = new EventSource(`${prefix}/live?${new URLSearchParams({ topics: wanted })}`);
  let wasBroken = false;
  opened.onopen = () => {
    setState("live");
    if (wasBroken) send({ reload: true });
    wasBroken = false;
  };
  opened.onmessage = heard;
  opened.addEventListener("reload", () => send({ reload: true }));
  opened.onerror = () => {
    wasBroken = true;
    setState("reconnecting");
    if (opened.readyState === EventSource.CLOSED) setTimeout(() => opened === source && reconnect(), 5000);
  };
  source = opened;
}

function reconnect() {
  listening = "";
  connect();
  send({ reload: true });
}

self.onconnect = (event) => {
  const port = event.ports[0];
  ports.set(port, []);
  port.onmessage = ({ data }) => {
    if (data.gone) ports.delete(port);
    else ports.set(port, data.topics);
    connect();
    port.postMessage({ state });
  };
  port.start();
};

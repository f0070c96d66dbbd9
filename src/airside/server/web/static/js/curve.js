// <air-curve>: lines over a step, a window or a time, drawn by uPlot, with the interval as a band.
// Its data are a record written by the server: {x, x_words, x_kind, unit, lines: [{label, values, low, high, dashed}], marks}.
// With an address for more, a part of the axis that is drawn over is asked for again, more closely; it stands in the
// address of the page, and all charts of the page show it. Double click, Escape or the button lead back to the whole.
import { token } from "./theme.js";

const HEIGHT = 200;
const COLOURS = 8;
const PAUSE_MS = 120;

function colour(index) {
  return index < 16 ? token(`--c${(index % COLOURS) + 1}`) : token("--idle");
}

/** A line keeps the colour that it was given; others take them in turn. */
function own(line, index) {
  return line.colour ? colour(line.colour - 1) : colour(index);
}

function faded(hex, share) {
  return `color-mix(in srgb, ${hex} ${share * 100}%, transparent)`;
}

function words(value) {
  if (value === null || value === undefined) return "—";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(2).replace("-", "−");
  return value.toLocaleString("en", { maximumSignificantDigits: 4 }).replace("-", "−");
}

/** On a logarithmic scale there is no place for what is not above 0. */
function placed(data, values) {
  return data.is_log ? values.map((value) => (value > 0 ? value : null)) : values;
}

/** Columns for uPlot, and which of them belong together. */
function columns(data) {
  const values = [data.x];
  const series = [{}];
  const bands = [];
  data.lines.forEach((line, index) => {
    const at = values.length;
    values.push(placed(data, line.values));
    series.push({
      label: line.label,
      stroke: line.faint ? faded(colour(0), 0.25) : own(line, index),
      width: 1.5,
      dash: line.dashed || index >= COLOURS ? [4, 3] : undefined,
      points: { show: data.x.length <= 40, size: 5, fill: token("--surface") },
      spanGaps: Boolean(data.is_joined),
    });
    if (line.low && line.high) {
      const edge = { stroke: "transparent", points: { show: false }, label: "" };
      values.push(line.high, line.low);
      series.push(edge, edge);
      bands.push({ series: [at + 1, at + 2], fill: faded(own(line, index), 0.14) });
    }
  });
  return { values, series, bands };
}

/** Vertical lines where something happened: deployments, alerts, retrainings. */
function markPlugin(marks) {
  return {
    hooks: {
      draw: (plot) => {
        const { ctx, bbox } = plot;
        ctx.save();
        ctx.strokeStyle = token("--control");
        ctx.fillStyle = token("--text-3");
        ctx.font = `${11 * devicePixelRatio}px Inter, system-ui, sans-serif`;
        ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
        for (const mark of marks) {
          const x = Math.round(plot.valToPos(mark.x, "x", true));
          ctx.beginPath();
          ctx.moveTo(x, bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height);
          ctx.stroke();
          ctx.fillText(mark.text, x + 4 * devicePixelRatio, bbox.top + 11 * devicePixelRatio);
        }
        ctx.restore();
      },
    },
  };
}

/** Times are UTC, as everywhere on the page. */
function clock(splits) {
  const span = splits[splits.length - 1] - splits[0];
  return splits.map((at) => {
    const iso = new Date(at * 1000).toISOString();
    if (span > 2 * 86400) return iso.slice(5, 10);
    return span > 300 ? iso.slice(11, 16) : iso.slice(11, 19);
  });
}

class Curve extends HTMLElement {
  connectedCallback() {
    this.data = JSON.parse(this.querySelector("script").textContent);
    this.redraw = () => this.draw();
    document.addEventListener("theme", this.redraw);
    this.sizes = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry.contentRect.width);
      if (this.plot && width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: HEIGHT });
    });
    this.changes = new MutationObserver(() => this.reread());
    this.changes.observe(this.querySelector("script"), { childList: true, characterData: true, subtree: true });
    this.zoom = ({ detail }) => this.data.more && this.ask(detail);
    document.addEventListener("zoom", this.zoom);
    this.draw();
    this.sizes.observe(this);
  }

  /** The page's data moved under us: a live block was refreshed. */
  reread() {
    const shown = this.part();
    this.data = JSON.parse(this.querySelector("script").textContent);
    if (shown && this.data.more) this.ask(shown);
    else this.draw();
  }

  /** The part of the axis that is shown; null for the whole. */
  part() {
    const { start, end } = this.data;
    return start === null || start === undefined ? null : [start, end];
  }

  /** Ask for a part of the axis as closely as it can be drawn here; null for the whole. */
  async ask(part) {
    const asked = new URLSearchParams({ width: Math.min(Math.max(Math.floor(this.clientWidth), 60), 1200) });
    if (part) {
      asked.set("x0", part[0]);
      asked.set("x1", part[1]);
    }
    this.wanted = part;
    const answer = await fetch(`${this.data.more}&${asked}`).catch(() => null);
    const found = answer?.ok ? await answer.json().catch(() => null) : null;
    if (!found || this.wanted !== part || !this.isConnected) return;
    this.data = { ...found, more: this.data.more };
    this.draw();
  }

  /** A part was drawn over: every chart of the page that can asks for it. */
  zoomed(plot) {
    const { min, max } = plot.scales.x;
    const shown = this.part() ?? [this.data.x[0], this.data.x[this.data.x.length - 1]];
    if (this.isDrawing || !this.data.more || (min === shown[0] && max === shown[1])) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => show([Number(min.toPrecision(8)), Number(max.toPrecision(8))]), PAUSE_MS);
  }

  disconnectedCallback() {
    document.removeEventListener("theme", this.redraw);
    document.removeEventListener("zoom", this.zoom);
    this.sizes.disconnect();
    this.changes.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }

  draw() {
    const { data } = this;
    const { values, series, bands } = columns(data);
    const grid = { stroke: token("--line"), width: 1 };
    const axis = { stroke: token("--text-3"), grid, ticks: { show: false }, font: "11px Inter, system-ui, sans-serif", gap: 6 };
    const across = { ...axis, size: 26 };
    const label = (x) => data.x_words?.[data.x.indexOf(x)] ?? (Number.isInteger(x) ? String(x) : "");
    const options = {
      width: Math.max(Math.floor(this.clientWidth), 60),
      height: HEIGHT,
      cursor: {
        sync: { key: "page" },
        points: { size: 6 },
        drag: { x: true, y: false },
        bind: { dblclick: (plot, target, usual) => (data.more ? () => show(null) : usual) },
      },
      legend: { show: false },
      padding: [8, data.x_words ? 30 : 16, 0, 0],
      scales: { x: { time: data.x_kind === "time", range: this.range() }, y: data.is_log ? { distr: 3 } : {} },
      axes: [
        data.x_words
          ? { ...across, splits: () => data.x, values: (_, splits) => this.thin(splits).map(label) }
          : { ...across, values: (_, splits) => (data.x_kind === "time" ? clock(splits) : splits.map(words)) },
        { ...axis, size: 56, values: (_, splits) => splits.map((value) => (value === null ? "" : words(value))) },
      ],
      series,
      bands,
      plugins: [markPlugin(data.marks ?? [])],
      hooks: {
        setCursor: [(plot) => this.read(plot.cursor.idx)],
        setScale: [(plot, key) => key === "x" && this.zoomed(plot)],
      },
    };
    this.plot?.destroy();
    this.isDrawing = true;
    this.plot = new uPlot(options, values, this.querySelector(".plot"));
    queueMicrotask(() => (this.isDrawing = false)); // uPlot settles its scales in a microtask of its own
    this.read(null);
  }

  /** What the axis spans: the part that was asked for, room around a single point, else what the points span. */
  range() {
    const { x, start, end } = this.data;
    if (this.part()) return (_, low, high) => (this.isDrawing ? [start, end] : [low, high]);
    return x.length === 1 ? [x[0] - 1, x[0] + 1] : undefined;
  }

  /** Of many labels on the axis, as many as have room. */
  thin(splits) {
    const every = Math.max(Math.ceil(splits.length / Math.max(Math.floor(this.clientWidth / 72), 1)), 1);
    return splits.map((split, index) => (index % every === 0 ? split : NaN));
  }

  /** The legend: names, and the values at the cursor (or the last ones). */
  read(index) {
    const at = index ?? this.data.x.length - 1;
    const parts = this.data.lines.map((line, i) => {
      const part = document.createElement("span");
      const sample = document.createElement("span");
      sample.className = "line";
      sample.style.setProperty("color", line.faint ? faded(colour(0), 0.35) : own(line, i));
      if (line.dashed) sample.style.setProperty("border-top-style", "dashed");
      const value = words(this.data.is_joined ? line.values.slice(0, at + 1).findLast((one) => one !== null) : line.values[at]);
      const reach = line.low?.[at] != null ? ` [${words(line.low[at])}, ${words(line.high[at])}]` : "";
      part.append(sample, `${line.label} ${value}${reach}${this.data.unit ? ` ${this.data.unit}` : ""}`);
      return part;
    });
    if (index !== null && index !== undefined) {
      const where = document.createElement("span");
      const at_x = this.data.x_kind === "time" ? new Date(this.data.x[at] * 1000).toISOString().slice(0, 19) : words(this.data.x[at]);
      where.textContent = `${this.data.x_name} ${this.data.x_words?.[at] ?? at_x}`;
      parts.unshift(where);
    }
    this.querySelector(".legend").replaceChildren(...parts);
  }
}

/** Show a part of the axis, null for the whole, in every chart of the page, and write it into the page's address. */
function show(part) {
  const here = new URL(location.href);
  for (const [at, key] of ["x0", "x1"].entries()) {
    if (part) here.searchParams.set(key, part[at]);
    else here.searchParams.delete(key);
  }
  history.replaceState(history.state, "", here);
  document.dispatchEvent(new CustomEvent("zoom", { detail: part }));
  offerWhole(Boolean(part));
}

/** A button that leads back, for who has no second click. */
function offerWhole(isPart) {
  const tools = document.querySelector(".tools");
  let button = document.getElementById("whole-range");
  if (!button && isPart && tools) {
    button = document.createElement("button");
    button.id = "whole-range";
    button.type = "button";
    button.className = "button";
    button.textContent = "Whole range";
    button.addEventListener("click", () => show(null));
    tools.append(button);
  }
  if (button) button.hidden = !isPart;
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && new URL(location.href).searchParams.has("x0")) show(null);
});

customElements.define("air-curve", Curve);

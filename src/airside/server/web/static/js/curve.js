// <air-curve>: lines over a step, a window or a time, drawn by uPlot, with the interval as a band.
// Its data are a record written by the server: {x, x_words, x_kind, unit, lines: [{label, values, low, high, dashed}], marks}.
import { token } from "./theme.js";

const HEIGHT = 200;
const COLOURS = 8;

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

/** Columns for uPlot, and which of them belong together. */
function columns(data) {
  const values = [data.x];
  const series = [{}];
  const bands = [];
  data.lines.forEach((line, index) => {
    const at = values.length;
    values.push(line.values);
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
    this.draw();
    this.sizes.observe(this);
  }

  /** The page's data moved under us: a live block was refreshed. */
  reread() {
    this.data = JSON.parse(this.querySelector("script").textContent);
    this.draw();
  }

  disconnectedCallback() {
    document.removeEventListener("theme", this.redraw);
    this.sizes.disconnect();
    this.changes.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }

  draw() {
    const { data } = this;
    const { values, series, bands } = columns(data);
    const grid = { stroke: token("--line"), width: 1 };
    const axis = { stroke: token("--text-3"), grid, ticks: { show: false }, font: "11px Inter", gap: 6 };
    const across = { ...axis, size: 26 };
    const label = (x) => data.x_words?.[data.x.indexOf(x)] ?? (Number.isInteger(x) ? String(x) : "");
    const options = {
      width: Math.max(Math.floor(this.clientWidth), 60),
      height: HEIGHT,
      cursor: { sync: { key: "page" }, points: { size: 6 }, drag: { x: true, y: false } },
      legend: { show: false },
      padding: [8, data.x_words ? 30 : 16, 0, 0],
      scales: { x: { time: data.x_kind === "time", range: data.x.length === 1 ? [data.x[0] - 1, data.x[0] + 1] : undefined } },
      axes: [
        data.x_words
          ? { ...across, splits: () => data.x, values: (_, splits) => this.thin(splits).map(label) }
          : { ...across, values: (_, splits) => (data.x_kind === "time" ? clock(splits) : splits.map(words)) },
        { ...axis, size: 56, values: (_, splits) => splits.map(words) },
      ],
      series,
      bands,
      plugins: [markPlugin(data.marks ?? [])],
      hooks: { setCursor: [(plot) => this.read(plot.cursor.idx)] },
    };
    this.plot?.destroy();
    this.plot = new uPlot(options, values, this.querySelector(".plot"));
    this.read(null);
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
      sample.style.setProperty("color", own(line, i));
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

customElements.define("air-curve", Curve);

// <air-heat>: feature × window. Cells are drawn here; names, ends and the sentence about the focused cell are HTML.
import { token } from "./theme.js";

const ROW = 22;
const GAP = 2;
const MOST = 112; // the widest that a cell gets
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class Heat extends HTMLElement {
  connectedCallback() {
    this.data = JSON.parse(this.querySelector("script").textContent);
    this.canvas = this.querySelector("canvas");
    this.at = null;
    this.redraw = () => this.draw();
    document.addEventListener("theme", this.redraw);
    this.sizes = new ResizeObserver(this.redraw);
    this.sizes.observe(this);
    this.changes = new MutationObserver(() => {
      this.data = JSON.parse(this.querySelector("script").textContent);
      this.draw();
    });
    this.changes.observe(this.querySelector("script"), { childList: true, characterData: true, subtree: true });
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => this.focusCell(null));
    this.canvas.addEventListener("click", () => this.open());
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  disconnectedCallback() {
    document.removeEventListener("theme", this.redraw);
    this.sizes.disconnect();
    this.changes.disconnect();
  }

  draw() {
    const { rows, columns } = this.data;
    const box = this.canvas.parentElement.getBoundingClientRect();
    const names = this.querySelector(".names").getBoundingClientRect();
    const room = Math.max(box.width - names.width - 12, 40);
    this.cell = Math.min(room / Math.max(columns.length, 1), MOST);
    const width = Math.floor(this.cell * columns.length);
    const height = rows.length * ROW;
    const scale = devicePixelRatio || 1;
    this.canvas.width = width * scale;
    this.canvas.height = height * scale;
    this.canvas.style.setProperty("width", `${width}px`);
    this.canvas.style.setProperty("height", `${height}px`);
    const pen = this.canvas.getContext("2d");
    pen.scale(scale, scale);
    const colours = [0, 1, 2, 3, 4, 5].map((n) => token(`--h${n}`));
    const gap = this.cell > 8 ? GAP : 0.5;
    rows.forEach((row, y) =>
      row.classes.forEach((kind, x) => {
        const place = [x * this.cell, y * ROW, this.cell - gap, ROW - GAP];
        if (kind === null) this.hatch(pen, place);
        else {
          pen.fillStyle = colours[kind];
          pen.fillRect(...place);
        }
      }),
    );
    if (this.at) {
      const [x, y] = this.at;
      pen.strokeStyle = token("--text");
      pen.lineWidth = 1.5;
      pen.strokeRect(x * this.cell + 0.75, y * ROW + 0.75, this.cell - gap - 1.5, ROW - GAP - 1.5);
    }
    this.labels(width);
  }

  /** What is missing is hatched: it is neither low nor high. */
  hatch(pen, [x, y, width, height]) {
    pen.save();
    pen.beginPath();
    pen.rect(x, y, width, height);
    pen.clip();
    pen.strokeStyle = token("--line");
    pen.lineWidth = 1;
    for (let offset = -height; offset < width; offset += 5) {
      pen.beginPath();
      pen.moveTo(x + offset, y + height);
      pen.lineTo(x + offset + height, y);
      pen.stroke();
    }
    pen.restore();
  }

  labels(width) {
    const ends = this.querySelector(".ends");
    ends.style.setProperty("width", `${width}px`);
    if (ends.classList.contains("each")) for (const end of ends.children) end.style.setProperty("width", `${this.cell}px`);
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = Math.floor((event.clientX - box.left) / this.cell);
    const y = Math.floor((event.clientY - box.top) / ROW);
    const inside = this.data.rows[y] && x >= 0 && x < this.data.columns.length;
    this.focusCell(inside ? [x, y] : null);
  }

  key(event) {
    if (event.key === "Enter") this.open();
    if (!MOVES[event.key]) return;
    event.preventDefault();
    const [x, y] = this.at ?? [this.data.columns.length, 0];
    const [dx, dy] = MOVES[event.key];
    const clamp = (value, most) => Math.min(Math.max(value, 0), most);
    this.focusCell([clamp(x + dx, this.data.columns.length - 1), clamp(y + dy, this.data.rows.length - 1)]);
  }

  focusCell(at) {
    if (String(at) === String(this.at)) return;
    this.at = at;
    this.draw();
    const read = this.querySelector(".read");
    if (!at) return;
    const [x, y] = at;
    const row = this.data.rows[y];
    const value = row.values[x];
    const shown = value === null ? "no value" : value.toLocaleString("en", { maximumSignificantDigits: 3 });
    read.textContent = `${row.name} in ${this.data.columns[x]}: ${shown}. ${this.data.words}`;
  }

  open() {
    const link = this.at && this.data.links[this.at[0]];
    if (link) location.assign(link);
  }
}

customElements.define("air-heat", Heat);

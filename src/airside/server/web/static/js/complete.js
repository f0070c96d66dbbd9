// <air-complete>: a field of the search language that says what may stand next. Without a script it is a plain field.
// And what belongs to the same page: a choice of columns that is searched while one types, the count of ticked runs.


const PAUSE_MS = 150;

class Complete extends HTMLElement {
  connectedCallback() {
    this.field = this.querySelector("input");
    this.list = document.createElement("ul");
    this.list.className = "offered";
    this.list.id = `${this.field.id}-offered`;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "What may stand next");
    this.list.hidden = true;
    this.append(this.list);
    for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", this.list.id]]) {
      this.field.setAttribute(name, value);
    }
    this.at = -1;
    this.items = [];
    this.field.addEventListener("input", () => this.later());
    this.field.addEventListener("focus", () => this.later());
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("blur", () => setTimeout(() => this.close(), 150));
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const item = event.target.closest("li");
      if (item) this.take([...this.list.children].indexOf(item));
    });
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PAUSE_MS);
  }

  async ask() {
    this.asked = this.field.value.slice(0, this.field.selectionStart);
    const asked = this.asked;
    const answer = await fetch(`${this.dataset.from}?${new URLSearchParams({ text: asked })}`).catch(() => null);
    if (!answer?.ok || asked !== this.asked || document.activeElement !== this.field) return;
    const { start, items } = await answer.json();
    this.start = [...asked].slice(0, start).join("").length; // the server counts characters, a script counts units
    this.show(items);
  }

  show(items) {
    this.items = items;
    this.at = -1;
    this.list.replaceChildren(
      ...items.map((item, index) => {
        const line = document.createElement("li");
        line.setAttribute("role", "option");
        line.id = `${this.list.id}-${index}`;
        const text = document.createElement("span");
        text.textContent = item.text;
        const note = document.createElement("small");
        note.textContent = item.note ?? "";
        line.append(text, note);
        return line;
      }),
    );
    this.list.hidden = items.length === 0;
    this.field.setAttribute("aria-expanded", String(items.length > 0));
    this.field.removeAttribute("aria-activedescendant");
  }

  close() {
    this.show([]);
  }

  key(event) {
    if (event.key === "Escape" && this.items.length) {
      event.stopPropagation();
      this.close();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!this.items.length) return;
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.point((this.at + step + this.items.length + (this.at < 0 && step < 0 ? 1 : 0)) % this.items.length);
    } else if ((event.key === "Enter" || event.key === "Tab") && this.at >= 0) {
      event.preventDefault();
      this.take(this.at);
    }
  }

  point(index) {
    this.at = index;
    [...this.list.children].forEach((line, i) => line.setAttribute("aria-selected", String(i === index)));
    this.field.setAttribute("aria-activedescendant", this.list.children[index].id);
    this.list.children[index].scrollIntoView({ block: "nearest" });
  }

  take(index) {
    const end = this.field.selectionStart;
    const { value } = this.field;
    const said = `${this.items[index].text} `;
    this.field.value = value.slice(0, this.start) + said + value.slice(end).trimStart();
    const at = this.start + said.length;
    this.field.focus();
    this.field.setSelectionRange(at, at);
    this.ask();
  }
}

customElements.define("air-complete", Complete);

document.addEventListener("input", (event) => {
  if (event.target.id !== "find-column") return;
  const wanted = event.target.value.toLowerCase();
  for (const label of event.target.form.querySelectorAll(".offers label")) {
    label.hidden = !label.textContent.toLowerCase().includes(wanted);
  }
});

document.addEventListener("change", (event) => {
  const said = document.querySelector(".ticked");
  if (!said || event.target.name !== "run") return;
  const n = document.querySelectorAll("input[name=run]:checked").length;
  said.textContent = n ? `${n} ${n === 1 ? "run" : "runs"} ticked.` : "No run is ticked.";
});

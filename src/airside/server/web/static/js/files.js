// <air-files>: the artifacts of a run, a folder at a time, from the MLflow API of this server.

import { BASE } from "./base.js";

const LIST = `${BASE}/ajax-api/2.0/mlflow/artifacts/list`;

function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

class Files extends HTMLElement {
  connectedCallback() {
    this.load("", this);
  }

  async load(path, place) {
    const answer = await fetch(`${LIST}?${new URLSearchParams({ run_id: this.dataset.run, path })}`);
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      place.replaceChildren(this.sentence(body.message ?? "The list could not be read."));
      return;
    }
    const files = body.files ?? [];
    const list = document.createElement("ul");
    list.className = "files";
    list.append(...files.map((file) => this.entry(file)));
    place.replaceChildren(files.length ? list : this.sentence(path ? "An empty folder." : "The run has no artifacts."));
  }

  entry(file) {
    const name = file.path.split("/").pop();
    const item = document.createElement("li");
    if (file.is_dir) {
      const folder = document.createElement("details");
      const summary = document.createElement("summary");
      summary.textContent = `${name}/`;
      const inside = document.createElement("div");
      folder.append(summary, inside);
      folder.addEventListener("toggle", () => folder.open && !inside.hasChildNodes() && this.load(file.path, inside));
      item.append(folder);
      return item;
    }
    const link = document.createElement("a");
    link.href = `${BASE}/get-artifact?${new URLSearchParams({ run_uuid: this.dataset.run, path: file.path })}`;
    link.textContent = name;
    const note = document.createElement("span");
    note.className = "muted small";
    note.textContent = ` ${size(Number(file.file_size ?? 0))}`;
    item.append(link, note);
    return item;
  }

  sentence(text) {
    const words = document.createElement("p");
    words.className = "muted";
    words.textContent = text;
    return words;
  }
}

customElements.define("air-files", Files);

// <air-files>: the artifacts of a run or a logged model, a folder at a time, with a preview of what is safe to show:
// pictures as pictures, tables as tables, HTML in a sandbox, everything else as text. Nothing of a file is ever run.

import { BASE } from "./base.js";
import { preview } from "./preview.js";

const API = `${BASE}/ajax-api/2.0/mlflow`;

function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

function made(tag, words, className = "") {
  const element = document.createElement(tag);
  element.textContent = words;
  if (className) element.className = className;
  return element;
}

class Files extends HTMLElement {
  connectedCallback() {
    this.tree = document.createElement("div");
    this.pane = document.createElement("div");
    this.pane.className = "pane";
    this.pane.setAttribute("aria-live", "polite");
    this.replaceChildren(this.tree, this.pane);
    this.load("", this.tree);
  }

  listUrl(path) {
    const { run, model } = this.dataset;
    if (run) return `${API}/artifacts/list?${new URLSearchParams({ run_id: run, path })}`;
    return `${API}/logged-models/${encodeURIComponent(model)}/artifacts/directories?${new URLSearchParams({ artifact_directory_path: path })}`;
  }

  fileUrl(path) {
    const { run, model } = this.dataset;
    if (run) return `${BASE}/get-artifact?${new URLSearchParams({ run_uuid: run, path })}`;
    return `${API}/logged-models/${encodeURIComponent(model)}/artifacts/files?${new URLSearchParams({ artifact_file_path: path })}`;
  }

  viewUrl(path) {
    const { run, model } = this.dataset;
    return `${BASE}/artifact-view?${new URLSearchParams(run ? { run_id: run, path } : { model_id: model, path })}`;
  }

  async load(path, place) {
    const answer = await fetch(this.listUrl(path)).catch(() => null);
    const body = (await answer?.json().catch(() => null)) ?? {};
    if (!answer?.ok) {
      place.replaceChildren(made("p", body.message ?? "The list could not be read.", "muted"));
      return;
    }
    const files = body.files ?? [];
    const list = document.createElement("ul");
    list.className = "files";
    list.append(...files.map((file) => this.entry(file)));
    place.replaceChildren(files.length ? list : made("p", path ? "An empty folder." : "There are no artifacts.", "muted"));
  }

  entry(file) {
    const name = file.path.split("/").pop();
    const item = document.createElement("li");
    if (file.is_dir) {
      const folder = document.createElement("details");
      const inside = document.createElement("div");
      folder.append(made("summary", `${name}/`), inside);
      folder.addEventListener("toggle", () => folder.open && !inside.hasChildNodes() && this.load(file.path, inside));
      item.append(folder);
      return item;
    }
    const bytes = Number(file.file_size ?? 0);
    const shows = made("button", name, "shows");
    shows.type = "button";
    shows.addEventListener("click", () => this.show(file.path, bytes, shows));
    item.append(shows, made("span", ` ${size(bytes)}`, "muted small"));
    return item;
  }

  async show(path, bytes, button) {
    for (const other of this.tree.querySelectorAll("[aria-pressed]")) other.removeAttribute("aria-pressed");
    button.setAttribute("aria-pressed", "true");
    const link = made("a", "Download", "button");
    link.href = this.fileUrl(path);
    link.setAttribute("download", path.split("/").pop());
    const head = document.createElement("div");
    head.className = "tools";
    head.append(made("b", path, "grow wrap"), link);
    const body = await preview(path, bytes, this.fileUrl(path), this.viewUrl(path)).catch(() => made("p", "It could not be read.", "muted"));
    if (button.getAttribute("aria-pressed")) this.pane.replaceChildren(head, body);
  }
}

customElements.define("air-files", Files);

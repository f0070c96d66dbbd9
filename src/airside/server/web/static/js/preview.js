// A file as it can be shown without risk: a picture, a table, or text; HTML in a frame without scripts and origin.

const PICTURES = { png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", gif: "image/gif", webp: "image/webp", svg: "image/svg+xml" };
const MAX_PICTURE = 20 * 1024 ** 2;
const MAX_TEXT = 256 * 1024;
const MAX_DOCUMENT = 10 * 1024 ** 2;
const MAX_ROWS = 200;
const MAX_COLUMNS = 50;

function words(text, className = "muted") {
  const line = document.createElement("p");
  line.className = className;
  line.textContent = text;
  return line;
}

function cells(values, tag) {
  const row = document.createElement("tr");
  row.append(
    ...values.slice(0, MAX_COLUMNS).map((value) => {
      const cell = document.createElement(tag);
      if (tag === "th") cell.scope = "col";
      cell.textContent = typeof value === "object" && value !== null ? JSON.stringify(value) : String(value ?? "—");
      return cell;
    }),
  );
  return row;
}

function table(columns, rows) {
  const box = document.createElement("div");
  box.className = "table-box tall";
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", "Table");
  const drawn = document.createElement("table");
  drawn.className = "data";
  const head = document.createElement("thead");
  head.append(cells(columns, "th"));
  const body = document.createElement("tbody");
  body.append(...rows.slice(0, MAX_ROWS).map((row) => cells(row, "td")));
  drawn.append(head, body);
  box.append(drawn);
  const all = document.createElement("div");
  all.append(box);
  if (rows.length > MAX_ROWS) all.append(words(`The first ${MAX_ROWS} of ${rows.length} rows that were read.`, "muted small"));
  return all;
}

/** The fields of separated text; quotes hold separators, line ends and doubled quotes. */
export function fields(text, separator) {
  const rows = [];
  let row = [];
  let field = "";
  let quoted = false;
  for (let i = 0; i < text.length && rows.length <= MAX_ROWS; i += 1) {
    const sign = text[i];
    if (quoted && sign === '"' && text[i + 1] === '"') {
      field += '"';
      i += 1;
    } else if (sign === '"' && (quoted || field === "")) {
      quoted = !quoted;
    } else if (!quoted && sign === separator) {
      row.push(field);
      field = "";
    } else if (!quoted && sign === "\n") {
      rows.push([...row, field.replace(/\r$/, "")]);
      row = [];
      field = "";
    } else {
      field += sign;
    }
  }
  if (field || row.length) rows.push([...row, field]);
  return rows;
}

function text(content, isCut) {
  const all = document.createElement("div");
  const shown = document.createElement("pre");
  shown.className = "snippet tall fold-lines";
  shown.tabIndex = 0;
  shown.textContent = content;
  all.append(shown);
  if (isCut) all.append(words("The first 256 KiB; the rest is in the file.", "muted small"));
  return all;
}

async function picture(url, kind) {
  const answer = await fetch(url);
  if (!answer.ok) return words("It could not be read.");
  const image = document.createElement("img");
  image.src = URL.createObjectURL(new Blob([await answer.arrayBuffer()], { type: kind }));
  image.alt = "The picture in this file";
  image.className = "picture";
  image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
  return image;
}

/** HTML in a frame: its own policy lets nothing run and nothing be fetched. */
function documentOf(path, view) {
  const all = document.createElement("div");
  const frame = document.createElement("iframe");
  frame.className = "document";
  frame.setAttribute("sandbox", "");
  frame.title = path;
  frame.src = view;
  all.append(frame, words("Shown without its scripts, and without what it would fetch.", "muted small"));
  return all;
}

/** A table that was logged, from the JSON in which clients keep it; null where it is none. */
export function tableOf(content) {
  const value = JSON.parse(content);
  if (Array.isArray(value?.columns) && Array.isArray(value?.data) && value.data.every(Array.isArray)) return table(value.columns, value.data);
  return null;
}

/** An element that shows a file of so many bytes at an address; `view` is where its HTML can be shown. */
export async function preview(path, bytes, url, view) {
  const ending = path.split(".").pop().toLowerCase();
  if (PICTURES[ending]) {
    return bytes > MAX_PICTURE ? words("A picture of more than 20 MiB: download it to see it.") : picture(url, PICTURES[ending]);
  }
  if (bytes === 0) return words("The file is empty.");
  if (view && (ending === "html" || ending === "htm")) {
    return bytes > MAX_DOCUMENT ? words("A document of more than 10 MiB: download it to see it.") : documentOf(path, view);
  }
  const answer = await fetch(url, { headers: { Range: `bytes=0-${MAX_TEXT - 1}` } });
  if (!answer.ok) return words("It could not be read.");
  const content = new TextDecoder().decode(await answer.arrayBuffer());
  if (content.includes("\u0000")) return words("This is no text: download it to see it.");
  const isCut = bytes > MAX_TEXT;
  if (ending === "csv" || ending === "tsv") {
    const rows = fields(content, ending === "csv" ? "," : "\t");
    if (rows.length > 1) return table(rows[0], rows.slice(1));
  }
  if (ending === "json" && !isCut) {
    try {
      return tableOf(content) ?? text(JSON.stringify(JSON.parse(content), null, 1), false);
    } catch {
      return text(content, false);
    }
  }
  return text(content, isCut);
}

// Light or dark: the reader's choice is kept in a cookie, so that the server writes it into the next page.

const root = document.documentElement;

/** What is shown now. */
export function current() {
  return root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

/** A colour token's value now. */
export function token(name) {
  return getComputedStyle(root).getPropertyValue(name).trim();
}

/** Change to the other one, and tell the pictures. */
export function toggle() {
  const next = current() === "dark" ? "light" : "dark";
  root.dataset.theme = next;
  document.cookie = `airside-theme=${next}; path=/; max-age=31536000; samesite=lax`;
  show();
  document.dispatchEvent(new CustomEvent("theme"));
}

function show() {
  const button = document.getElementById("theme");
  const use = button.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, current() === "dark" ? "#moon" : "#sun"));
  button.hidden = false;
}

export function theme() {
  document.getElementById("theme").addEventListener("click", toggle);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    show();
    document.dispatchEvent(new CustomEvent("theme"));
  });
  show();
}

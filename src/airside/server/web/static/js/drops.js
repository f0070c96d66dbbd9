// Small forms behind a button: one is open at a time; Escape and a click beside it close it.

function closeOthers(kept) {
  for (const drop of document.querySelectorAll("details.drop[open]")) if (!drop.contains(kept)) drop.open = false;
}

export function drops() {
  document.addEventListener("click", (event) => closeOthers(event.target));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("details.drop[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
  document.addEventListener(
    "toggle",
    (event) => {
      if (event.target.matches?.("details.drop[open]")) event.target.querySelector(".panel input:not([type=hidden]), .panel textarea, .panel select")?.focus();
    },
    true,
  );
}

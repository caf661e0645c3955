// What every page needs: one-use form keys, a countdown, and row keys in lists. No inline code anywhere (CSP).
"use strict";

// A form is sent with a fresh key; sending the same form again (double click, back button) is the same request.
function freshKeys(root) {
  for (const field of root.querySelectorAll("input[name=idempotency_key]")) {
    if (!field.value) field.value = crypto.randomUUID ? crypto.randomUUID() : randomKey();
  }
}

// crypto.randomUUID exists only in secure contexts; a hall may open the console over plain HTTP on its own network.
function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}

function tick() {
  for (const clock of document.querySelectorAll("[data-until]")) {
    const left = Math.max(0, Math.floor((Number(clock.dataset.until) - Date.now()) / 1000));
    const shown = `${String(Math.floor(left / 60)).padStart(2, "0")}:${String(left % 60).padStart(2, "0")}`;
    if (clock.textContent !== shown) clock.textContent = shown;
    clock.classList.toggle("short", left < 120);
    if (left === 0 && !clock.dataset.over) {
      clock.dataset.over = "yes";
      clock.dispatchEvent(new CustomEvent("hold-over", { bubbles: true }));
    }
  }
}

// Arrow keys walk the choices of a list; Enter is the button's own.
function walk(event) {
  if (event.code !== "ArrowDown" && event.code !== "ArrowUp") return;
  const list = event.target.closest("[data-walk]") || document.querySelector("[data-walk]");
  if (!list || (event.target.tagName === "SELECT")) return;
  const stops = Array.from(list.querySelectorAll("button, a"));
  if (!stops.length) return;
  const here = stops.indexOf(document.activeElement);
  const next = event.code === "ArrowDown" ? here + 1 : here - 1;
  if (next < 0) {
    document.querySelector("[data-walk-from]")?.focus();
  } else {
    stops[Math.min(next, stops.length - 1)].focus();
  }
  event.preventDefault();
}

// Alt + letter presses the visible button that says so.
function shortcut(event) {
  if (!event.altKey || event.ctrlKey || event.metaKey) return;
  const letter = event.code.startsWith("Key") ? event.code.slice(3) : "";
  const button = letter && document.querySelector(`[data-key="${letter}"]:not([disabled])`);
  if (button) {
    event.preventDefault();
    button.tagName === "INPUT" ? button.focus() : button.click();
  }
}

function settle(root) {
  freshKeys(root);
  const wanted = root.querySelector("[data-focus]");
  if (wanted && (document.activeElement === document.body || !document.activeElement)) wanted.focus();
}

document.addEventListener("DOMContentLoaded", () => { settle(document); tick(); setInterval(tick, 500); });
document.addEventListener("htmx:after:swap", () => { settle(document); tick(); });
document.addEventListener("keydown", (event) => { walk(event); shortcut(event); });

// What every page needs: one-use form keys, keyboard walks and shortcuts, focus after a part was exchanged. No inline code
// anywhere (CSP). It runs before the page's body comes; all other scripts but looks.js run after it.
"use strict";

// What a quick person presses or sends while the page still comes waits for the page's scripts: a shortcut would find
// no button, and a form that a script sends would be sent past it. A form that needs no script goes at once.
const SENT_BY_SCRIPT = "[hx-get], [hx-post], [data-scan-form], [data-upload]";
let early = [];

function later(act, event) {
  early.push(act);
  event.preventDefault();
  event.stopImmediatePropagation();
}

function held(event) {
  if (!early) return;
  const { target, submitter } = event;
  if (event.type === "keydown" && isShortcut(event)) later(() => shortcut(event), event);
  if (event.type === "submit" && target.matches(SENT_BY_SCRIPT)) later(() => target.requestSubmit(submitter), event);
}

function catchUp() {
  const acts = early;
  early = null;
  for (const act of acts) act();
}

// A form is sent with a key of its own; sending the same form again (double click, back button) is the same request.
// A changed form, or one whose answer has come, is another request.
function freshKey(field) {
  field.value = crypto.randomUUID ? crypto.randomUUID() : randomKey();
}

function fillKeys(root) {
  for (const field of root.querySelectorAll("input[name=idempotency_key]")) if (!field.value) freshKey(field);
}

// crypto.randomUUID exists only in secure contexts; a hall may open the console over plain HTTP on its own network.
function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}

// Arrow keys walk the choices of a list; Enter is the button's own.
function walk(event) {
  if (event.code !== "ArrowDown" && event.code !== "ArrowUp") return;
  const from = document.querySelector("[data-walk-from]");
  const list = event.target === from ? document.querySelector("[data-walk]") : event.target.closest("[data-walk]");
  const stops = list ? Array.from(list.querySelectorAll("button")).filter((button) => button.offsetParent) : [];
  if (!stops.length) return;
  const next = stops.indexOf(document.activeElement) + (event.code === "ArrowDown" ? 1 : -1);
  (next < 0 ? from : stops[Math.min(next, stops.length - 1)])?.focus();
  event.preventDefault();
}

// Alt + letter presses the visible button, or enters the field, that says so. `code` is the key itself: an active
// Chinese input method does not change it.
function isShortcut(event) {
  return event.altKey && !event.ctrlKey && !event.metaKey && event.code.startsWith("Key");
}

function shortcut(event) {
  if (!isShortcut(event)) return;
  const wanted = document.querySelector(`[data-key="${event.code.slice(3)}"]:not([disabled])`);
  if (!wanted) return;
  event.preventDefault();
  if (wanted.matches("input, select, textarea")) wanted.focus();
  else wanted.click();
}

// Where the work goes on: in the part that was exchanged if the person asked for that, if the focus got lost, or if the
// part they are in has come to its next step. Where a part has no next step yet, the part itself waits for it.
const steps = new WeakMap();

function settle(part, asked) {
  fillKeys(part);
  const next = part.querySelector("[data-focus]");
  const step = next && (next.id || next.dataset.key);
  const came = step !== steps.get(part);
  steps.set(part, step);
  const focused = document.activeElement;
  const lost = !focused || focused === document.body;
  const within = part.matches("[data-takes-focus]") && (asked || (came && part.contains(focused)));
  if (!lost && !within) return;
  if (next) next.focus();
  else if (asked) {
    part.setAttribute("tabindex", "-1");
    part.focus();
  }
}

// Where an answer goes: the service may have named another place.
function partOf({ target }) {
  return typeof target === "string" ? document.querySelector(target) : target;
}

function swapped(event) {
  const { sourceElement, request, response } = event.detail.ctx;
  const target = partOf(event.detail.ctx);
  const part = target?.isConnected ? target : document.body;
  const asked = request.method !== "GET";
  if (response.status >= 500) return;  // nobody knows what was done: sent again, it is the same request
  if (asked) for (const field of part.querySelectorAll("input[name=idempotency_key]")) freshKey(field);
  if (asked && sourceElement?.isConnected) for (const field of sourceElement.querySelectorAll("input[name=idempotency_key]")) freshKey(field);
  settle(part, asked);
}

document.addEventListener("keydown", held, true);
document.addEventListener("submit", held, true);
document.addEventListener("DOMContentLoaded", () => {
  fillKeys(document);
  const stops = document.querySelectorAll("[data-focus]");
  if (stops.length) stops[stops.length - 1].focus();
  setTimeout(catchUp);  // htmx reads the page in a task of its own, which stands before this one
});
document.addEventListener("htmx:after:swap", swapped);
// What a person unfolded stays so when the part is fetched again.
document.addEventListener("htmx:before:morph:attr", (event) => {
  if (event.detail.attrName === "open") event.preventDefault();
});
document.addEventListener("input", (event) => {
  const field = event.target.form?.querySelector("input[name=idempotency_key]");
  if (field) freshKey(field);
});
document.addEventListener("click", (event) => { if (event.target.closest("[data-print]")) print(); });
document.addEventListener("keydown", (event) => { walk(event); shortcut(event); });

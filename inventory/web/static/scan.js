// One field for the scanner: Enter sends what it read, with a sound and a colour for each answer. The field is free for
// the next card at once; what is read meanwhile waits, and is sent again under the same key if the service was away.
"use strict";

const TONES = { fresh: 880, again: 440, bad: 220 };
const RETRY_MS = 2000;
const waiting = [];
let sending = false;
let next;  // the form that goes once everything read has arrived: the count is not closed before

async function send(form) {
  if (sending || !waiting.length) return;
  sending = true;
  const [scan] = waiting;
  let delay = 0;
  try {
    const answer = await fetch(form.action, { method: "POST", body: scan, headers: { "HX-Request": "true" } });
    const elsewhere = answer.headers.get("HX-Redirect");  // the session is over
    if (elsewhere) return void location.assign(elsewhere);
    const board = document.getElementById(form.dataset.scanForm);
    board.innerHTML = await answer.text();
    beep(TONES[board.querySelector("[data-tone]")?.dataset.tone ?? "bad"]);
    waiting.shift();
    reached(true);
  } catch {
    reached(false);
    delay = RETRY_MS;
  }
  sending = false;
  if (waiting.length) setTimeout(() => send(form), delay);
  else next?.requestSubmit();
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-scan-form]");
  if (!form && !waiting.length) return;
  event.preventDefault();
  if (!form) {
    next = event.target;
    return;
  }
  const field = form.elements.items;
  if (!field.value.trim()) return;
  waiting.push(new URLSearchParams(new FormData(form)));
  field.value = "";
  freshKey(form.elements.idempotency_key);
  send(form);
});
window.addEventListener("beforeunload", (event) => {
  if (waiting.length) event.preventDefault();
});

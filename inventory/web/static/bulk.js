// The bulk board listens: eight readers tell of every command they run, the board is fetched a few times a second at most.
"use strict";

const PAUSE_MS = 400;
let waiting = false;

function changed() {
  if (waiting) return;
  waiting = true;
  setTimeout(() => { waiting = false; htmx.trigger(document.body, "bulk"); }, PAUSE_MS);
}

document.addEventListener("DOMContentLoaded", () => {
  hear("/bulk/events", { reader: changed, job: changed, open: changed });
});

// The hall desk listens: the service tells when the reader or a job changed, the page fetches that part again. And it
// counts a hold down, by the time that is left and not by the clock of the hall's PC.
"use strict";

const SHORT_SECONDS = 120;
const ends = new WeakMap();

const lookAtReader = () => htmx.trigger(document.body, "station");
const lookAtSale = () => htmx.trigger(document.body, "job");

function lookAgain() {
  lookAtReader();
  lookAtSale();
}

function listen() {
  hear("/desk/events", { reader: lookAtReader, job: lookAtSale, open: lookAgain });  // after a gap everything is fetched once
}

// The end of a countdown on this page's own clock; a new `data-left` starts a new one.
function endOf(clock) {
  const known = ends.get(clock);
  if (known && known.left === clock.dataset.left) return known;
  const fresh = { left: clock.dataset.left, at: performance.now() + Number(clock.dataset.left), told: false };
  ends.set(clock, fresh);
  return fresh;
}

function tick() {
  for (const clock of document.querySelectorAll("[data-left]")) {
    const end = endOf(clock);
    const left = Math.max(0, Math.ceil((end.at - performance.now()) / 1000));
    const shown = `${String(Math.floor(left / 60)).padStart(2, "0")}:${String(left % 60).padStart(2, "0")}`;
    if (clock.textContent !== shown) clock.textContent = shown;
    clock.classList.toggle("short", left < SHORT_SECONDS);
    if (left === 0 && !end.told) {
      end.told = true;
      htmx.trigger(document.body, "hold-over");
    }
  }
}

document.addEventListener("DOMContentLoaded", () => { listen(); tick(); setInterval(tick, 250); });
document.addEventListener("htmx:after:swap", (event) => {
  tick();
  // What was done with a kit shows in the reader panel too, and the news that a look would have brought is brought by
  // another one: a look that set out before the act is left, and a binding is told before its answer is here.
  const { request, target } = event.detail.ctx;
  if (request.method !== "GET" && ["sale", "reader"].includes(target?.id)) lookAgain();
});

// What a page fetches by itself, at the news that it hears or every few seconds: what becomes of it beside what a person
// did, and a word when the service cannot be reached. It runs after haoka.js, before the page's body comes.
"use strict";

// Hears what the service tells by itself: `acts` by the name of the news. EventSource connects again when the line breaks,
// but not after an answer that is no stream.
const AGAIN_MS = 5000;

function hear(url, acts) {
  const source = new EventSource(url);
  for (const [name, act] of Object.entries(acts)) source.addEventListener(name, act);
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(() => hear(url, acts), AGAIN_MS);
  });
  addEventListener("pagehide", () => source.close());
}

function reached(yes) {
  const banner = document.getElementById("unreached");
  if (banner) banner.hidden = yes;
}

// A look that the service cannot answer for a moment changes nothing: what is shown stays, and so does what looks again.
function answered(event) {
  const { request, response } = event.detail.ctx;
  const away = request.method === "GET" && response.status >= 500;
  reached(!away);
  if (away) event.preventDefault();
}

// A part looks by itself: every few seconds, or at news. Such a look does not undo what a person did meanwhile. One that
// set out before an act was answered is older than that answer and is left; and what the act was answered stands until the
// next act, or until what it is about has changed.
const actsOf = new WeakMap();

function setOut(event) {
  const { ctx } = event.detail;
  ctx.actsBefore = actsOf.get(ctx.target);
}

function arrives(event) {
  const { ctx, tasks } = event.detail;
  if (!ctx.sourceElement.matches("[hx-trigger]")) acted(partOf(ctx));
  else if (ctx.actsBefore !== actsOf.get(ctx.target)) event.preventDefault();
  else for (const { fragment } of tasks) keepAnswers(fragment);
}

// A refusal that is no part's own, such as one after the working hours, stands above them all until the next act.
function acted(part) {
  actsOf.set(part, (actsOf.get(part) ?? 0) + 1);
  document.getElementById("refused")?.replaceChildren();
}

function keepAnswers(fragment) {
  for (const fresh of fragment.querySelectorAll("[data-about]")) {
    const stands = document.getElementById(fresh.id);
    if (stands?.dataset.about === fresh.dataset.about && !fresh.textContent.trim()) fresh.replaceWith(stands.cloneNode(true));
  }
}

document.addEventListener("htmx:before:request", setOut);
document.addEventListener("htmx:before:swap", arrives);
document.addEventListener("htmx:after:request", answered);
document.addEventListener("htmx:error", () => reached(false));

// The hall desk listens: the service tells when the reader or a job changed, the page fetches that part again.
"use strict";

function listen() {
  const source = new EventSource("/desk/events");
  source.addEventListener("reader", () => htmx.trigger(document.body, "station"));
  source.addEventListener("job", () => htmx.trigger(document.body, "job"));
  // EventSource connects again by itself; after a gap everything is fetched once.
  source.addEventListener("open", () => { htmx.trigger(document.body, "station"); });
  addEventListener("pagehide", () => source.close());
}

document.addEventListener("DOMContentLoaded", listen);

// Large files go up in pieces before their form is sent: with a bar, and on from where a lost connection left them. A
// small file, or a browser without script, sends the form as it is.
"use strict";

const PIECE = 4 * 1024 * 1024;
const RETRY_MS = 2000;

async function asked(method, path, options) {
  const answer = await fetch(path, { method, ...options });
  if (answer.status >= 500) throw new TypeError("the service is away");  // or what stands before it says so
  if (answer.redirected || !(answer.headers.get("content-type") || "").includes("json")) {
    location.reload();  // the session is over
    return new Promise(() => {});
  }
  const body = await answer.json();
  if (!answer.ok && body.offset === undefined) throw new Error(body.detail);
  return body;
}

// A piece that is lost is asked for and sent again, as long as the page is open.
async function patiently(board, work, again) {
  for (let lost = false; ; lost = true) {
    try {
      const done = await (lost ? again() : work());
      board.waiting.hidden = true;
      return done;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      board.waiting.hidden = false;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

async function sendUp(file, board) {
  const head = new FormData();
  head.append("name", file.name);
  head.append("size", file.size);
  const begin = () => asked("POST", "/loads/uploads", { body: head });
  let upload = await patiently(board, begin, begin);
  const path = `/loads/uploads/${upload.id}`;
  while (upload.offset < file.size) {
    const { offset } = upload;
    const piece = () => asked("PATCH", path, {
      body: file.slice(offset, offset + PIECE),
      headers: { "Upload-Offset": offset, "Content-Type": "application/octet-stream" },
    });
    upload = await patiently(board, piece, () => asked("GET", path));
    board.bar.value = upload.offset / file.size;
    board.done.textContent = `${Math.floor((100 * upload.offset) / file.size)} %`;
  }
  return upload.id;
}

function boardOf(form) {
  const part = (name) => form.querySelector(`[data-upload-${name}]`);
  return { whole: part("board"), bar: part("bar"), done: part("done"), waiting: part("waiting"), bad: part("bad") };
}

async function submitted(event) {
  const form = event.target;
  const [file] = form.elements.file.files;
  if (form.elements.upload.value || !file || file.size <= PIECE) return;
  event.preventDefault();
  const { submitter } = event;
  const buttons = form.querySelectorAll("button[type=submit]");
  const board = boardOf(form);
  for (const button of buttons) button.disabled = true;
  board.whole.hidden = false;
  board.bad.hidden = true;
  try {
    form.elements.upload.value = await sendUp(file, board);
    form.elements.file.disabled = true;
    for (const button of buttons) button.disabled = false;
    form.requestSubmit(submitter);
  } catch (error) {
    board.bad.textContent = error.message;
    board.bad.hidden = false;
    for (const button of buttons) button.disabled = false;
  }
}

document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("form[data-upload]")) form.addEventListener("submit", submitted);
});

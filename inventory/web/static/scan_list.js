// One field for the scanner: Enter puts what it read on the list, with a sound, a colour and a word for each. What is on
// the list already is told and not put there again.
"use strict";

const FRESH = 880;
const AGAIN = 220;

function taken(field, event) {
  if (event.key !== "Enter") return;
  event.preventDefault();
  const list = document.getElementById(field.dataset.scanInto);
  const tally = document.getElementById(field.dataset.scanTally);
  const item = field.value.trim().toUpperCase();
  if (!item) return;
  const lines = list.value.split(/\s+/).filter(Boolean);
  const again = lines.includes(item);
  if (!again) list.value = [...lines, item].join("\n");
  const words = again ? tally.dataset.again : tally.dataset.new;
  tally.textContent = words.replace("{n}", lines.length + (again ? 0 : 1)).replace("{item}", item);
  tally.className = again ? "notice bad" : "notice good";
  beep(again ? AGAIN : FRESH);
  field.value = "";
  list.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("keydown", (event) => {
  if (event.target.matches?.("[data-scan-into]")) taken(event.target, event);
});

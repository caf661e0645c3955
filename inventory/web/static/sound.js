// A tone for each thing that was scanned: who scans looks at the cards, not at the screen.
"use strict";

const TONE_SECONDS = 0.08;
let sound;

function beep(frequency) {
  if (!frequency) return;
  try {
    sound ??= new AudioContext();
    const tone = sound.createOscillator();
    tone.frequency.value = frequency;
    tone.connect(sound.destination);
    tone.start();
    tone.stop(sound.currentTime + TONE_SECONDS);
  } catch {
    // A PC without sound still has the colour and the word.
  }
}

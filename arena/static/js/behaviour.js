// How an answer is given, summed up in the page and sent with it: counts and seconds, never which
// key, what was pasted, or where the pointer was. Loaded only where the event keeps it and the terms
// name it; arena/judging/behaviour.py reads it, and has the same steps.

const COUNT_STEPS = [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192];
const SECOND_STEPS = [0, 1, 2, 3, 5, 8, 12, 20, 30, 45, 60, 90, 120, 180, 300, 600];

const form = () => document.querySelector("#answer");
const digit = (steps, value) => steps.findLastIndex((step) => step <= value).toString(16);

let seen; // of the matchup on the screen
let isAway = false;

// A matchup that comes back, refused or sent anew, goes on; another one begins.
function arrive() {
  const uuid = form()?.dataset.uuid;
  if (seen?.uuid === uuid) return;
  const now = performance.now();
  const hiddenSince = document.hidden ? now : null;
  seen = { uuid, shown: now, first: null, keys: 0, pointers: 0, pastes: 0, losses: 0, hidden: 0, hiddenSince };
}

function count(name) {
  return (event) => {
    if (!event.isTrusted || event.repeat) return; // a script's own events are nobody's
    seen[name] += 1;
    if (name !== "pastes") seen.first ??= performance.now();
  };
}

function leave() {
  if (!isAway) seen.losses += 1;
  isAway = true;
}

function comeBack() {
  isAway = false;
}

function changeSight() {
  const now = performance.now();
  if (document.hidden) {
    seen.hiddenSince ??= now;
    leave();
    return;
  }
  if (seen.hiddenSince !== null) seen.hidden += now - seen.hiddenSince;
  seen.hiddenSince = null;
  comeBack();
}

function sumUp() {
  const now = performance.now();
  const counts = [seen.keys, seen.pointers, seen.pastes, seen.losses];
  const hidden = seen.hidden + (seen.hiddenSince === null ? 0 : now - seen.hiddenSince);
  const times = [hidden, (seen.first ?? now) - seen.shown, now - seen.shown];
  return [
    ...counts.map((value) => digit(COUNT_STEPS, value)),
    ...times.map((value) => digit(SECOND_STEPS, value / 1000)),
  ].join("");
}

// Before htmx collects the form. An answer that waits for a connection keeps its first summary.
function write(event) {
  const field = event.target.id === "answer" && event.target.elements.namedItem("behaviour");
  if (field && !field.value) field.value = sumUp();
}

document.addEventListener("keydown", count("keys"), { capture: true });
document.addEventListener("pointerdown", count("pointers"), { capture: true, passive: true });
document.addEventListener("paste", count("pastes"), { capture: true, passive: true });
addEventListener("blur", leave);
addEventListener("focus", comeBack);
document.addEventListener("visibilitychange", changeSight);
document.addEventListener("submit", write, { capture: true });
document.addEventListener("htmx:afterSwap", arrive);
arrive();

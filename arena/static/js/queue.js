// Keys of a queue on the desk: from one item to the next, and the buttons and links of the one in
// hand; those outside of items belong to the page. Without it every button is a plain form.

const items = () => [...document.querySelectorAll("[data-queue-item]")];

// The item with the focus, else the first one that is in sight.
function current() {
  const focused = document.activeElement?.closest("[data-queue-item]");
  return focused ?? items().find((item) => item.getBoundingClientRect().bottom > 80);
}

function step(by) {
  const list = items();
  const focused = list.indexOf(document.activeElement?.closest("[data-queue-item]"));
  const next = focused < 0 ? current() : list[Math.min(Math.max(focused + by, 0), list.length - 1)];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "start" });
}

// Whether something has this key; it is pressed.
function press(key) {
  const named = `[data-queue="${CSS.escape(key)}"]`;
  const own = current()?.querySelector(named) ?? document.querySelector(`${named}:not([data-queue-item] *)`);
  own?.click();
  return Boolean(own);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  if (event.target.closest("input:not([type='checkbox']), textarea, select") || document.querySelector(":popover-open")) return;
  const key = event.key.toLowerCase();
  const opens = key === "enter" && event.target.matches("[data-queue-item]");
  if (items().length && key === "j") step(1);
  else if (items().length && key === "k") step(-1);
  else if (opens ? !press("o") : !press(key)) return;
  event.preventDefault();
});

// After a decision the next item is in hand.
if (new URLSearchParams(location.search).has("done")) items()[0]?.focus({ preventScroll: true });

// Keys of a queue on the desk: from one item to the next, and the buttons of the one in hand.
// Without it every button is a plain form.

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

function press(key) {
  const own = current()?.querySelector(`[data-queue="${key}"]`);
  (own ?? document.querySelector(`[data-queue="${key}"]:not([data-queue-item] *)`))?.click();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  if (event.target.closest("input, textarea, select") || document.querySelector(":popover-open")) return;
  const key = event.key.toLowerCase();
  if (key === "j") step(1);
  else if (key === "k") step(-1);
  else if (["r", "x", "o", "u", "?"].includes(key)) press(key);
  else return;
  event.preventDefault();
});

// After a decision the next item is in hand.
if (new URLSearchParams(location.search).has("done")) items()[0]?.focus({ preventScroll: true });

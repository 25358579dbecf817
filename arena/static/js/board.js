// The board page replaces its content when the board has changed; what the reader had scrolled
// aside or opened stays so. (Focus is kept by htmx, for whatever has an id.)

const kept = { scroll: new Map(), open: new Set() };

document.addEventListener("htmx:beforeSwap", ({ target }) => {
  kept.scroll.clear();
  kept.open.clear();
  for (const area of target.querySelectorAll("[data-keeps-scroll]")) kept.scroll.set(area.id, area.scrollLeft);
  for (const details of target.querySelectorAll("details[open]")) kept.open.add(details.id);
});

document.addEventListener("htmx:afterSwap", () => {
  for (const [id, left] of kept.scroll) document.getElementById(id)?.scrollTo({ left });
  for (const id of kept.open) document.getElementById(id)?.setAttribute("open", "");
});

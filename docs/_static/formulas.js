// Draw each formula of the page with KaTeX; the text of the elements is its source between \( \) or \[ \].
document.addEventListener("DOMContentLoaded", () => {
  for (const place of document.querySelectorAll(".math")) {
    const source = place.textContent.trim();
    const formula = source.slice(2, -2);
    katex.render(formula, place, { displayMode: source.startsWith("\\["), throwOnError: false });
  }
});

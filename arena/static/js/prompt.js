// The prompt: folded past a few lines and, once it is scrolled away, two lines of it at the top of
// the window, so that it stays in sight while one reads on. Without this file it is shown whole.
// htmx swaps #matchup, so elements are looked up when they are needed.

const find = (selector) => document.querySelector(selector);
const root = document.documentElement;
const narrow = matchMedia("(max-width: 48rem)");
const body = () => find("#prompt-body");
const isStrip = () => find(".prompt").classList.contains("is-strip");
const scrollsApart = () => root.classList.contains("is-apart") && !narrow.matches;

function label(hasMore, isOpen) {
  const button = find("[data-expand]");
  button.dataset.more ??= button.textContent;
  button.hidden = !hasMore;
  button.setAttribute("aria-expanded", String(isOpen));
  button.textContent = isOpen ? button.dataset.less : button.dataset.more;
}

// The last turn is the question.
function showLastTurn() {
  const turns = [...body().querySelectorAll(".turn")];
  const above = isStrip() ? 0 : 40;
  if (turns.length > 1) body().scrollTop = turns.at(-1).offsetTop - body().offsetTop - above;
  else body().scrollTop = 0;
}

function fold() {
  if (isStrip() || find("[data-expand]").getAttribute("aria-expanded") === "true") return;
  const prompt = body();
  prompt.classList.remove("is-open");
  const isShort = prompt.scrollHeight <= prompt.clientHeight + 24;
  label(!isShort, false);
  if (isShort) {
    prompt.classList.add("is-open");
    return;
  }
  showLastTurn();
  prompt.classList.toggle("more-above", prompt.scrollTop > 0);
  prompt.classList.toggle("more-below", prompt.scrollTop < prompt.scrollHeight - prompt.clientHeight - 1);
}

function toggle() {
  if (find("[data-expand]").hidden) return;
  label(true, body().classList.toggle(isStrip() ? "is-shown" : "is-open"));
}

// The place of the prompt keeps its height, so that nothing moves when it becomes a strip.
function keepInSight() {
  const top = find(".judge-top");
  const strip = Number.parseFloat(getComputedStyle(top).getPropertyValue("--strip")) * Number.parseFloat(getComputedStyle(root).fontSize);
  const isAway = !scrollsApart() && top.getBoundingClientRect().bottom < strip;
  if (isAway === isStrip()) return;
  if (isAway) top.style.minHeight = `${top.offsetHeight}px`;
  else top.style.minHeight = "";
  const prompt = find(".prompt");
  prompt.classList.toggle("is-strip", isAway);
  if (isAway) {
    prompt.dataset.opened = find("[data-expand]").getAttribute("aria-expanded");
    label(body().scrollHeight > body().clientHeight + 1, false);
    showLastTurn();
    return;
  }
  body().classList.remove("is-shown");
  const wasOpened = prompt.dataset.opened === "true";
  label(wasOpened, wasOpened);
  fold();
}

function arrive() {
  fold();
  keepInSight();
}

function settleAgain() {
  if (isStrip()) return;
  arrive();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-expand]")) toggle();
});
document.addEventListener("htmx:afterSwap", arrive);
document.addEventListener("formulas:drawn", settleAgain);
document.addEventListener("change", (event) => {
  if (event.target.dataset.device === "apart") setTimeout(settleAgain); // after it is remembered
});
addEventListener("scroll", keepInSight, { passive: true });
addEventListener("resize", keepInSight, { passive: true });
arrive();

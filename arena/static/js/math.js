// Formulas: each <code class="math"> holds its source, which KaTeX draws, row by row, or which
// stays as it is with a sign that it is source. site.js loads this where a page has formulas.

const files = document.querySelector("meta[name=formulas]").dataset;
const DELIMITERS = [
  [/^\$\$([^]*)\$\$$/, true],
  [/^\\\[([^]*)\\\]$/, true],
  [/^\\\(([^]*)\\\)$/, false],
  [/^\$([^]*)\$$/, false],
  [/^(\\begin[^]*)$/, true],
  [/^([^]*)$/, false],
];
const CHEMISTRY = /\\(?:ce|pu)\b/;
// These stand on lines of their own, also between single dollars.
const DISPLAY = /\\begin\{(?:equation|align|alignat|gather|multline|eqnarray|flalign|CD)\*?\}/;
// What would act, could spell what the server strips, would stand left of its place, where it is
// cut off, or is none of a writer's business.
const REFUSED = /\\(?:char|(?:math)?[lc]lap)(?![A-Za-z])|(?:^|[^\\])(?:\\\\)*\\[A-Za-z]*@/;
// What nobody would see, beside a phantom.
const INVISIBLE = /\\(?:text)?color\s*\{\s*(?:transparent|#(?:[0-9a-f]{4}|[0-9a-f]{8}))\s*\}/i;
// KaTeX knows no height of Hebrew, Arabic, Thai and others: what is drawn around them is misplaced.
const FITTED = /\\(?:boxed|f?box|f?colorbox|sqrt|over[a-z]|under[a-z]|wide[a-z]|[bx]?cancel|sout|angl|phase)/;
// TeX drops what follows a bare percent sign, and most writers mean the sign.
const COMMENT = /(?:^|[^\\])(?:\\\\)*%[^\n]*\S/;
const DEFINITION = /\\(?:[gex]?def|(?:re)?newcommand|providecommand|let|futurelet|DeclareMathOperator)(?![A-Za-z])/;
const MAX_EXPANDED = 20000; // tokens that a formula's own definitions may grow to
const MAX_BUSY = 200; // ms
const MAX_DEPTH = 300; // elements within elements

// What KaTeX lacks and has an equal: [what, by what].
const EQUALS = [
  [/\\begin\{eqnarray(\*?)\}([^]*?)\\end\{eqnarray\1\}/g,
    (all, star, rows) => `\\begin{darray}{rcl}${rows.replace(/\\(?:nonumber|notag)(?![A-Za-z])/g, "")}\\end{darray}`],
  [/\\(begin|end)\{multline\*?\}/g, "\\$1{gathered}"],
  [/(\\begin\{(?:aligned|alignedat|gathered|array|darray|subarray)\})\s*\[[tbc]\]/g, "$1"], // how it stands in its line
  [/\\(begin|end)\{flalign(\*?)\}/g, "\\$1{align$2}"],
  [/\\(?:begin|end)\{(?:displaymath|math)\}/g, ""],
  [/\\label\s*\{[^{}]*\}/g, ""],
  [/\\require\s*\{[^{}]*\}/g, ""],
  [/(\\begin\{d?array\}\s*(?:\[[tbc]\])?\s*\{)((?:[^{}]|\{[^{}]*\})*)\}/g,
    (all, head, columns) => `${head}${columns.replace(/[@!]\{\s*\}/g, "")}}`],
  [/\\newcommand\*?\s*\{?(\\[A-Za-z]+)\}?\s*\{/g, "\\def$1{"],
  // An answer in words, which TeX would run together.
  [/\\boxed\{((?=[^{}]*\p{L}{2,}\s)[^\\^_{}$&#%=+*<>]*)\}/gu, "\\boxed{\\text{$1}}"],
];
const SETTINGS = {
  throwOnError: true,
  maxSize: 20,
  trust: () => { throw new Error("refused"); }, // else the command alone would be shown
};
const MACROS = {
  "\\mbox": "\\text{#1}",
  "\\ensuremath": "{#1}",
  "\\mathds": "\\mathbb{#1}",
  "\\perthousand": "\\text{‰}",
  "\\euro": "\\text{€}",
  "\\DeclareMathOperator": "\\def#1{\\operatorname{#2}}",
};

const settingsFor = (tex, displayMode) => ({
  ...SETTINGS,
  displayMode,
  maxExpand: maxExpand(tex),
  macros: { ...MACROS }, // definitions belong to one formula
  strict: (code) => (code === "commentAtEnd" || (code === "unknownSymbol" && FITTED.test(tex)) ? "error" : "ignore"),
});

function load(tag, attributes) {
  return new Promise((resolve, reject) => {
    const element = Object.assign(document.createElement(tag), attributes);
    element.onload = resolve;
    element.onerror = reject;
    document.head.append(element);
  });
}

let library;
let chemistry;
const isReady = { library: false, chemistry: false };

async function loadLibraries(withChemistry) {
  library ??= Promise.all([load("script", { src: files.katex }), load("link", { rel: "stylesheet", href: files.styles })]);
  await library;
  isReady.library = true;
  if (!withChemistry) return;
  chemistry ??= load("script", { src: files.chemistry });
  await chemistry;
  isReady.chemistry = true;
}

// Draws all formulas of the page that are not drawn yet: at once where the libraries are loaded,
// so that a page swapped in is never seen without them.
export function draw() {
  const formulas = [...document.querySelectorAll("code.math")];
  const withChemistry = formulas.some((formula) => CHEMISTRY.test(formula.textContent));
  if (!formulas.length) return;
  if (isReady.library && (isReady.chemistry || !withChemistry)) drawAll(formulas);
  else loadLibraries(withChemistry).then(draw);
}

// Never more than a moment in one go: a page full of formulas can be scrolled and left meanwhile.
function drawAll(formulas) {
  const started = performance.now();
  while (formulas.length && performance.now() - started < MAX_BUSY) {
    const formula = formulas.shift();
    if (!formula.isConnected) continue;
    const box = drawn(formula.textContent);
    if (!box) formula.className = "math-source";
    else if (formula.parentElement.matches("pre")) formula.parentElement.replaceWith(box);
    else formula.replaceWith(box);
  }
  if (formulas.length) setTimeout(drawAll, 0, formulas);
  else document.dispatchEvent(new Event("formulas:drawn"));
}

// The formula as KaTeX draws it; null where it cannot be read as a whole.
function drawn(source) {
  const [, tex, isDisplay] = read(source);
  if ([REFUSED, INVISIBLE, COMMENT].some((each) => each.test(tex))) return null;
  const box = document.createElement("span");
  box.className = isDisplay ? "formula formula-block" : "formula";
  box.dir = "ltr";
  box.dataset.source = source;
  try {
    box.append(withoutStyleAttributes(window.katex.__renderToDomTree(tex, settingsFor(tex, isDisplay))).toNode());
  } catch {
    return null;
  }
  soften(box);
  return isBlank(box) || depth(box) > MAX_DEPTH ? null : box;
}

// The policy of the site blocks style attributes, which KaTeX sets in its MathML alone.
function withoutStyleAttributes(tree) {
  const nodes = [tree];
  for (const node of nodes) {
    if (node.attributes) delete node.attributes.style;
    if (node.children) nodes.push(...node.children);
  }
  return tree;
}

function read(source) {
  const [pattern, isDisplay] = DELIMITERS.find(([each]) => each.test(source));
  const inside = pattern.exec(source)[1].trim();
  const isRows = DISPLAY.test(inside);
  return [source, EQUALS.reduce((tex, [what, by]) => tex.replace(what, by), inside), isDisplay || isRows];
}

function maxExpand(tex) {
  if (!DEFINITION.test(tex)) return 1000;
  return Math.min(1000, Math.floor(MAX_EXPANDED / (tex.length * tex.split("#").length)));
}

// A formula's own colours keep some of the ink's, so that it can be read in light and dark.
function soften(box) {
  for (const { style } of box.querySelectorAll("[style*=color]")) {
    if (style.color && style.color !== "transparent") style.color = `color-mix(in oklab, ${style.color} 60%, var(--ink))`;
    if (style.backgroundColor) style.backgroundColor = `color-mix(in oklab, ${style.backgroundColor} 22%, var(--paper))`;
  }
}

// Browsers lay out by recursion and break down over elements nested in thousands.
function depth(box) {
  let level = 0;
  let inner = [box];
  while (inner.length && level <= MAX_DEPTH) {
    level += 1;
    inner = inner.flatMap((each) => [...each.children]);
  }
  return level;
}

function isBlank(box) {
  const shown = box.querySelector(".katex-html");
  return !shown.textContent.replace(/[\s\u200b]/g, "") && !shown.querySelector("svg, .rule");
}

// What is copied has formulas as they were written.
document.addEventListener("copy", (event) => {
  const selection = getSelection();
  if (selection.isCollapsed || !selection.rangeCount) return;
  const range = selection.getRangeAt(0).cloneRange();
  const edge = (node) => (node.nodeType === Node.TEXT_NODE ? node.parentElement : node)?.closest?.(".formula");
  if (edge(range.startContainer)) range.setStartBefore(edge(range.startContainer));
  if (edge(range.endContainer)) range.setEndAfter(edge(range.endContainer));
  const holder = document.createElement("div");
  holder.className = "copied";
  holder.append(range.cloneContents());
  const formulas = holder.querySelectorAll(".formula");
  if (!formulas.length) return;
  for (const formula of formulas) {
    formula.replaceWith(Object.assign(document.createElement("span"), { className: "copied-formula", textContent: formula.dataset.source }));
  }
  document.body.append(holder); // only what is laid out has lines
  event.clipboardData.setData("text/plain", holder.innerText);
  holder.className = "";
  event.clipboardData.setData("text/html", holder.innerHTML);
  holder.remove();
  event.preventDefault();
});

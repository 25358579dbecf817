// Small conveniences of every page: colour scheme, local times, copy, print, download.
// Each is an attribute in the markup; without this file the page says the same.

const root = document.documentElement;

function remember(key, value) {
  try {
    if (value) localStorage.setItem(key, value);
    else localStorage.removeItem(key);
  } catch { /* storage may be forbidden; the choice then lasts until the next page */ }
}

function showTheme() {
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === (root.dataset.theme ?? "")));
  }
}

// <time datetime="…" data-local="zone">: the moment in the reader's time zone, unless it is that one.
function showLocalTimes() {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const format = new Intl.DateTimeFormat(root.lang.startsWith("en") ? "en-GB" : root.lang, {
    weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit",
  });
  for (const time of document.querySelectorAll("time[data-local]")) {
    const moment = new Date(time.dateTime);
    if (time.dataset.local === here || Number.isNaN(moment.valueOf())) continue;
    time.textContent = format.format(moment);
    if (time.parentElement.hidden) time.parentElement.hidden = false;
  }
}

// What scrolls sideways can be reached by keyboard.
function reachScrollers() {
  for (const box of document.querySelectorAll(".prose, .prose pre, .prose table, .formula-block, .table-scroll")) {
    if (box.scrollWidth > box.clientWidth && getComputedStyle(box).overflowX === "auto") box.tabIndex = 0;
  }
}

// The words "copied" replace the label for two seconds and are announced as the button's name.
async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  const label = button.querySelector("[data-label]") ?? button;
  const before = label.textContent;
  label.textContent = button.dataset.done;
  setTimeout(() => { label.textContent = before; }, 2000);
}

function download(button) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([button.dataset.download], { type: "text/plain" }));
  link.download = button.dataset.filename;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-theme-choice], [data-copy], [data-print], [data-download]");
  if (!button) return;
  if ("themeChoice" in button.dataset) {
    if (button.dataset.themeChoice) root.dataset.theme = button.dataset.themeChoice;
    else delete root.dataset.theme;
    remember("theme", button.dataset.themeChoice);
    showTheme();
  } else if ("copy" in button.dataset) copy(button);
  else if ("print" in button.dataset) window.print();
  else download(button);
});

// A checkbox with data-device is a setting of this device, not of the account.
for (const box of document.querySelectorAll("input[data-device]")) {
  try { box.checked = localStorage.getItem(box.dataset.device) === "on"; } catch { /* as above */ }
  box.addEventListener("change", () => remember(box.dataset.device, box.checked ? "on" : ""));
}

// <select data-own-timezone>: begins at the reader's zone, which may be missing from the list.
for (const select of document.querySelectorAll("select[data-own-timezone]")) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!here) continue;
  if (![...select.options].some((option) => option.value === here)) {
    select.prepend(new Option(here.replaceAll("_", " "), here));
  }
  select.value = here;
}

// A button with data-asks does what cannot be undone: the server's question comes first, in a dialog.
// Nothing is done by this request; where there is no question, the form is sent as it is.
async function question(form, button) {
  const address = button.hasAttribute("formaction") ? button.formAction : form.action;
  const body = new URLSearchParams(new FormData(form, button));
  const answer = await fetch(address, { method: "POST", body, headers: { "X-Question": "alone" } });
  return new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-question]");
}

function ask(asked, form) {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  dialog.setAttribute("aria-labelledby", "question-title");
  asked.toggleAttribute("data-download-form", form.matches("[data-download-form]"));
  dialog.append(asked);
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  asked.querySelector("[data-dismiss]").addEventListener("click", (event) => {
    event.preventDefault();
    dialog.close();
  });
  // What is downloaded leaves the page as it is.
  asked.addEventListener("submit", () => setTimeout(() => dialog.close()));
  dialog.showModal();
}

document.addEventListener("submit", async (event) => {
  const button = event.submitter;
  if (!button?.matches("[data-asks]")) return;
  event.preventDefault();
  const asked = await question(event.target, button).catch(() => null);
  if (document.querySelector("dialog[open]")) return;
  if (asked) return ask(asked, event.target);
  button.removeAttribute("data-asks");
  event.target.requestSubmit(button);
});

// <form data-download-form>: saves the file in the answer, then shows the page anew, which it has changed.
async function save(form) {
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual" });
  const named = answer.headers.get("Content-Disposition")?.match(/filename="([^"]+)"/);
  if (answer.ok && named) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = named[1];
    link.click();
    setTimeout(() => location.reload(), 500);
  } else location.reload();
}

document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || !event.target.matches("form[data-download-form]")) return;
  event.preventDefault();
  save(event.target);
});

// Formulas are drawn by a library that only pages with formulas load.
let mathematics;
function drawFormulas() {
  if (mathematics) mathematics.draw();
  else if (document.querySelector("code.math")) {
    import(document.querySelector("meta[name=formulas]").content).then((loaded) => {
      mathematics = loaded;
      mathematics.draw();
    });
  }
}

function arrive() {
  showLocalTimes();
  drawFormulas();
  reachScrollers();
}

document.addEventListener("formulas:drawn", reachScrollers);

document.addEventListener("htmx:afterSwap", arrive);
showTheme();
arrive();
document.querySelector('.tab[aria-current="page"]')?.scrollIntoView({ block: "nearest", inline: "center" });

// The judging page: keys, drafts, safe resending, and where the eye lands. Without it the page is
// plain forms. htmx swaps #matchup, so elements are looked up when they are needed.

const find = (selector, scope = document) => scope.querySelector(selector);
const all = (selector, scope = document) => [...scope.querySelectorAll(selector)];
const root = document.documentElement;
const words = find("#words").dataset;
const answer = () => find("#answer");
const narrow = matchMedia("(max-width: 48rem)");
const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
const BACKOFF = [1, 2, 4, 8, 16, 30]; // seconds

function setting(name) {
  try { return localStorage.getItem(name) === "on"; } catch { return false; }
}

// --- Drafts: what was chosen and typed survives a reload or a new sign-in in this tab.

const NO_DRAFT = ["csrfmiddlewaretoken", "behaviour"]; // each page has its own
const draftKey = (form) => `draft:${form.dataset.uuid}`;

function saveDraft(form) {
  const fields = [...new FormData(form)].filter(([name]) => !NO_DRAFT.includes(name));
  try { sessionStorage.setItem(draftKey(form), JSON.stringify(fields)); } catch { /* best effort */ }
}

function restoreDraft(form) {
  let fields = [];
  try { fields = JSON.parse(sessionStorage.getItem(draftKey(form))) ?? []; } catch { /* none kept */ }
  for (const [name, value] of fields) {
    for (const field of all("input, textarea", form).filter((each) => each.name === name)) {
      if (field.type === "radio") field.checked = field.value === value;
      else field.value = value;
      if (value && field.type !== "radio") field.closest("details")?.setAttribute("open", "");
    }
  }
}

function forgetDraft(uuid) {
  try { sessionStorage.removeItem(`draft:${uuid}`); } catch { /* nothing was kept */ }
}

// --- Status line and toast.

function say(form, text, label, action) {
  const line = find("[role=status]", form);
  line.replaceChildren(text);
  line.hidden = !text;
  if (!label) return;
  line.append(" ", make("button", { type: "button", textContent: label, onclick: action }));
}

let toastTimer;
function toast(text, label, action) {
  const body = make("div", { className: "toast-body" });
  body.append(make("span", { textContent: text }));
  if (label) body.append(make("button", { type: "button", textContent: label, onclick: action }));
  find("#toast").replaceChildren(body);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => find("#toast").replaceChildren(), 6000);
}

// --- Answering.

function choose(key) {
  const questions = all(".question-preference", answer());
  const open = questions.find((question) => !find(":checked", question));
  const question = open ?? questions.find((each) => each.contains(document.activeElement)) ?? questions[0];
  const option = question && find(`input[data-key="${key}"]`, question);
  if (!option) return;
  option.checked = true;
  option.focus({ preventScroll: true });
  option.dispatchEvent(new Event("input", { bubbles: true }));
  if (setting("fast")) submitIfComplete();
}

function submitIfComplete() {
  if (answer().checkValidity()) submit();
}

function submit() {
  if (held?.form !== answer()) answer().requestSubmit();
  else resend();
}

function undo() {
  find("#toast").replaceChildren();
  const link = find("a[data-undo]");
  if (link && !link.hidden) link.click();
  else toast(words.nothing);
}

// --- A lost connection: the answer stays, locked, and the same answer is sent again by itself.
// The server records an assignment once, so a repeated submission is safe.

let held = null; // { form, attempt, timer }
let renewed = null; // the form whose session was renewed: once a try

function hold(form, text, seconds) {
  const attempt = held?.form === form ? held.attempt + 1 : 0;
  const wait = seconds ?? BACKOFF[Math.min(attempt, BACKOFF.length - 1)];
  clearTimeout(held?.timer);
  held = { form, attempt, timer: setTimeout(resend, wait * 1000 * (1 + Math.random() / 4)) };
  lock(form, true);
  say(form, text, words.retry, resend);
}

function lock(form, on) {
  form.classList.toggle("is-held", on);
  for (const part of all(".question, fieldset, .field", form)) part.inert = on;
}

function release() {
  clearTimeout(held?.timer);
  if (held) lock(held.form, false);
  held = null;
}

function resend() {
  clearTimeout(held?.timer);
  if (held?.form.isConnected) held.form.requestSubmit();
  else held = null;
}

// --- An ended session: renewed once a try, else the person signs in and the answer is sent.

const isLogin = (url) => new URL(url, location).pathname === new URL(find("#sign-in form").action).pathname;

async function renew(form) {
  let session;
  try {
    session = await import(words.session); // its name carries a hash, so the page has to say it
    if (renewed !== form && (await session.freshToken())) {
      renewed = form;
      form.requestSubmit();
      return;
    }
  } catch {
    hold(form, words.offline);
    return;
  }
  clearTimeout(held?.timer);
  held = { form, attempt: 0 };
  lock(form, true);
  const ask = () => session.askToSignIn(resend);
  say(form, words.signedOut, words.signIn, ask);
  ask();
}

// --- What htmx reports.

let sent = null; // uuid of the answer under way
let skew = 0; // this device's clock minus the server's, ms

const sender = (event) => event.detail.requestConfig.elt;
const isForm = (event) => sender(event).matches("form");
const said = (form) => // what the form did
  form.id === "answer" ? words.saved : form.closest("#skip-dialog") ? words.skipped : words.flagged;

document.addEventListener("htmx:beforeRequest", (event) => {
  if (isForm(event)) sent = answer().dataset.uuid;
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  skew = Date.now() - (Date.parse(xhr.getResponseHeader("Date")) || Date.now());
  if (xhr.status >= 400 || /\bid="matchup"/.test(xhr.responseText)) return;
  event.detail.shouldSwap = false; // not a matchup: the way to sign in, or the end of the work
  if (isLogin(xhr.responseURL) && isForm(event)) renew(sender(event));
  else location.assign(xhr.responseURL);
});

document.addEventListener("htmx:afterSwap", (event) => {
  const done = event.detail.xhr.status < 400 && isForm(event) && said(sender(event));
  release();
  renewed = null;
  if (sent && sent !== answer().dataset.uuid) forgetDraft(sent);
  else if (sent) say(answer(), ""); // refused with a notice: the draft stays
  sent = null;
  arrive();
  history.replaceState(null, "", answer().action);
  scrollTo(0, 0);
  find("#prompt-title").focus({ preventScroll: true });
  if (done && undoLeft() > 0) toast(done, words.undo, undo);
});

function failed(event) {
  const { xhr } = event.detail;
  const elt = sender(event);
  const status = xhr.status;
  if (!isForm(event)) toast(words.refused);
  else if (status === 401 || status === 403) renew(elt);
  else if (status === 0 || status === 408) hold(elt, words.offline);
  else if (status === 429 || status >= 500) hold(elt, words.busy, Number(xhr.getResponseHeader("Retry-After")) || undefined);
  else {
    release();
    say(elt, words.refused);
  }
}
for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) document.addEventListener(name, failed);
addEventListener("online", resend);

// --- Reading: the switch between sides, scrolling apart. The prompt is prompt.js's.

let places = {}; // where each side was left, by the switch on phones

function markSide() {
  if (!narrow.matches) return;
  const sides = all(".side");
  const current = sides.findLast((side) => side.getBoundingClientRect().top < 150) ?? sides[0];
  for (const link of all(".side-switch a")) link.setAttribute("aria-current", String(link.hash === `#${current.id}`));
}

function switchSide(link) {
  const from = find('.side-switch a[aria-current="true"]')?.hash;
  if (from === link.hash) return find(link.hash).scrollIntoView();
  places[from] = scrollY;
  if (places[link.hash] === undefined) find(link.hash).scrollIntoView();
  else scrollTo(0, places[link.hash]);
  return markSide();
}

function scrollApart() {
  root.classList.toggle("is-apart", setting("apart"));
  for (const side of all(".side")) side.tabIndex = setting("apart") ? 0 : -1;
}

const undoLeft = () => Date.parse(find("#matchup").dataset.undoUntil) - (Date.now() - skew) || 0;

let undoTimer;
function arrive() {
  places = {};
  restoreDraft(answer());
  scrollApart();
  markSide();
  clearTimeout(undoTimer);
  const link = find("a[data-undo]");
  if (link && undoLeft() > 0) undoTimer = setTimeout(() => { link.hidden = true; }, undoLeft());
}

// --- Events.

const SHORTCUTS = {
  s: () => find("#skip-dialog")?.showPopover(),
  f: () => find("#flag-dialog")?.showPopover(),
  g: () => find("#guidelines-sheet").showPopover(),
  "?": () => find("#help-dialog").showPopover(),
  u: undo,
  p: () => find("[data-expand]").click(),
  c: comment,
};

function comment() {
  const text = find(".question-text textarea");
  text?.closest("details").setAttribute("open", "");
  text?.focus();
}

function inDialog(event, dialog) {
  const option = find(`input[data-key="${event.key}"]`, dialog);
  if (option) option.click();
  else if (event.key === "Enter" && find("form", dialog)) find("form", dialog).requestSubmit();
  else if (["g", "?"].includes(event.key) && SHORTCUTS[event.key]) dialog.hidePopover();
  else return;
  event.preventDefault();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  const field = event.target.closest("textarea, select, input:not([type=radio], [type=checkbox])");
  if (field && event.key === "Escape" && answer().contains(field)) field.blur();
  if (field || event.defaultPrevented) return;
  if (event.key === "Enter" && event.target.closest("a, button, summary, [type=checkbox]")) return;
  const dialog = find(":popover-open");
  if (dialog) return inDialog(event, dialog);
  if (/^[0-9]$/.test(event.key)) {
    if (!held) choose(event.key);
  } else if (event.key === "Enter") submit();
  else if (SHORTCUTS[event.key.toLowerCase()]) SHORTCUTS[event.key.toLowerCase()]();
  else return;
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest(".side-switch a");
  if (link) {
    event.preventDefault();
    switchSide(link);
  } else if (setting("fast") && event.target.closest(".segment") && event.target.type !== "radio") {
    setTimeout(submitIfComplete); // after the tap has chosen
  }
});

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form?.id !== "answer") return;
  saveDraft(form);
  if (!held) say(form, "");
});

document.addEventListener("invalid", (event) => {
  if (event.target.form?.id !== "answer") return;
  event.preventDefault();
  if (event.target.type !== "radio") comment();
  say(answer(), words.choose);
}, true);

document.addEventListener("change", (event) => {
  if (event.target.dataset.device !== "apart") return;
  setTimeout(scrollApart); // after it is remembered
});

addEventListener("scroll", markSide, { passive: true });
narrow.addEventListener("change", markSide);
arrive();

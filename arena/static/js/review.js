// The forms that decide a case: Enter sends them, and what is chosen on the page is in the form.
// Without it the forms say the same, and wait for their buttons.

const form = document.getElementById("exclude-form");
const ticked = () => document.querySelectorAll('input[name="judgments"]:checked').length;

function choose(scope) {
  const radio = form?.querySelector(`input[name="scope"][value="${scope}"]`);
  if (radio) radio.checked = true;
}

document.addEventListener("keydown", (event) => {
  const sends = event.key === "Enter" && !event.shiftKey && !event.isComposing;
  if (!sends || !event.target.matches("textarea[data-sends]")) return;
  event.preventDefault();
  if (!event.repeat) event.target.form.requestSubmit();
});

// A moment on their timeline: the form opens with it.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-since]");
  if (!button || !form) return;
  form.elements.since.value = button.dataset.since;
  choose("since");
});

document.addEventListener("change", (event) => {
  if (event.target.matches('input[name="judgments"]')) choose(ticked() ? "chosen" : "all");
  if (event.target.matches('input[name="since"]')) choose("since");
});

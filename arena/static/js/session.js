// An ended session: a fresh token if there still is one, else sign in without leaving the page.

const dialog = document.querySelector("#sign-in");
const form = dialog.querySelector("form");
const parse = (html) => new DOMParser().parseFromString(html, "text/html");
let whenSignedIn = () => {};

/** Takes this page's token anew; false if nobody is signed in. Throws without a connection. */
export async function freshToken() {
  const reply = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (reply.status >= 500) throw new Error("away"); // says nothing about who is signed in
  const headers = parse(await reply.text()).body.getAttribute("hx-headers");
  if (!headers) return false; // the sign-in page has none
  document.body.setAttribute("hx-headers", headers);
  const token = JSON.parse(headers)["X-CSRFToken"];
  for (const field of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) field.value = token;
  return true;
}

/** Opens the dialog; `then` runs once the person is signed in again. */
export function askToSignIn(then) {
  whenSignedIn = then;
  if (!dialog.matches(":popover-open")) dialog.showPopover();
  form.querySelector("input").focus();
}

async function signIn() {
  const page = parse(await (await fetch(form.action)).text());
  const fields = new URLSearchParams(new FormData(form));
  fields.set("csrfmiddlewaretoken", page.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "");
  await fetch(form.action, { method: "POST", body: fields });
  return freshToken();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const problem = form.querySelector("[role=alert]");
  problem.hidden = true;
  problem.hidden = await signIn().catch(() => false);
  if (!problem.hidden) return;
  form.reset();
  dialog.hidePopover();
  whenSignedIn();
});

// Logs in with a passkey, and adds one. Elements that need this script stay hidden without it, and in browsers without
// passkeys. The options are JSON from the server; the authenticator's response is sent in a hidden field of an ordinary form.
const known = window.PublicKeyCredential;
const AGAIN_MS = 4 * 60 * 1000; // the server's challenges expire after five minutes
const says = document.querySelector('script[src$="/passkeys.js"]').dataset; // our texts, in the reader's language
const SAID = {
  AbortError: "", // the request was replaced by a new one
  NotAllowedError: says.cancelled,
  InvalidStateError: says.known,
  SecurityError: says.noPasskeys,
};

function send(form, credential) {
  form.elements.credential.value = JSON.stringify(credential);
  form.submit();
}

function said(form, text) {
  const place = form.querySelector("[role=alert]");
  place.textContent = text;
  place.hidden = !text;
}

let offer = new AbortController(); // of the request in progress: a browser allows one at a time

async function ask(form, mediation) {
  offer.abort();
  offer = new AbortController();
  const { signal } = offer;
  const answer = await fetch(`${form.action}/options`, { signal });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const publicKey = known.parseRequestOptionsFromJSON(await answer.json());
  send(form, await navigator.credentials.get({ publicKey, mediation, signal }));
}

// Offers passkeys among the suggestions for the name field, as long as no other request is in progress.
async function suggest(form) {
  const again = setInterval(() => ask(form, "conditional").catch(() => {}), AGAIN_MS);
  form.addEventListener("submit", () => clearInterval(again));
  await ask(form, "conditional").catch(() => {});
}

function create(form) {
  const publicKey = known.parseCreationOptionsFromJSON(JSON.parse(form.dataset.options));
  return navigator.credentials.create({ publicKey }).then((credential) => send(form, credential));
}

function answers(form, act) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    said(form, "");
    act(form).catch((error) => said(form, SAID[error.name] ?? says.failed));
  });
}

if (known?.parseRequestOptionsFromJSON) {
  const login = document.getElementById("passkey-login");
  const add = document.getElementById("passkey-add");
  if (login) {
    answers(login, (form) => ask(form, "optional"));
    if (await known.isConditionalMediationAvailable?.()) suggest(login);
    login.hidden = false;
  }
  if (add) answers(add, create);
  for (const part of document.querySelectorAll("[data-passkeys]")) part.hidden = part.dataset.passkeys === "none";
}

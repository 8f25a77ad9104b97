// Keeps an open dashboard true: a stream of events, or, where that does not work, the page asked again and again.
// Nothing heard for 45 s (the bridge speaks every 15), also after a night in standby: the page says so and asks again.
import { freeze, tick } from "./age.js";

const SILENT_MS = 45000;
const ASK_MS = 20000;
const board = document.querySelector("[data-live]");
let mark = board.dataset.seen;
let heardAt = Date.now();
let askedAt = 0;
let stream = null;

function heard(checkedAt) {
  heardAt = Date.now();
  if (checkedAt) for (const time of document.querySelectorAll("[data-checked]")) time.textContent = checkedAt;
  say("");
}

function say(words) {
  freeze(words !== "");
  for (const place of document.querySelectorAll("[data-connection]")) {
    if (place.textContent !== words) place.textContent = words;
  }
}

// Puts new parts in the place of old ones; a part that reads the same stays, and with it focus and a running timer.
function show(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const old = document.getElementById(part.id);
    if (old && old.innerHTML !== part.innerHTML) old.replaceWith(document.adoptNode(part));
  }
  document.querySelector(".contact").className = fresh.querySelector(".contact").className;
  tick();
  heard(fresh.querySelector("[data-checked]").textContent);
}

function listen() {
  if (!window.EventSource) return;
  stream?.close();
  stream = new EventSource(`${board.dataset.live}?seen=${encodeURIComponent(mark)}`);
  stream.addEventListener("board", (event) => { mark = event.lastEventId; show(event.data); });
  stream.addEventListener("alive", (event) => heard(event.data));
}

async function ask() {
  askedAt = Date.now();
  try {
    const answer = await fetch(location.pathname, { cache: "no-store" });
    if (answer.redirected) location.reload(); // the session is over: the login page says so
    if (!answer.ok) return;
    const html = await answer.text();
    mark = new DOMParser().parseFromString(html, "text/html").querySelector("[data-seen]").dataset.seen;
    show(html);
    listen();
  } catch {
    // no connection: `watch` says so already
  }
}

function watch() {
  const quietMs = Date.now() - heardAt;
  if (!navigator.onLine) say("You are offline. This is what was true then.");
  else if (quietMs > SILENT_MS) say("No connection to our service. This is what was true then.");
  const closed = !stream || stream.readyState === EventSource.CLOSED;
  if ((closed || quietMs > SILENT_MS) && Date.now() - askedAt > ASK_MS) ask();
}

listen();
setInterval(watch, 1000);
addEventListener("offline", watch);
addEventListener("online", () => { askedAt = 0; heardAt = 0; watch(); });
addEventListener("pageshow", (event) => { if (event.persisted) ask(); }); // out of the back-forward cache
addEventListener("pagehide", () => stream?.close());

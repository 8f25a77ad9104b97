// Keeps an open dashboard honest. htmx puts in what the bridge streams; this says when nothing has come for 45 s (the
// bridge speaks every 15), also after a night in standby, and then asks as the Refresh button does.
import { freeze, restart } from "./age.js";

const SILENT_MS = 45000;
const ASK_MS = 15000;
const board = document.getElementById("board");
let stream = null; // htmx's connection, while there is one
let heardAt = Date.now();
let askedAt = 0;

function heard() {
  heardAt = Date.now();
  say("");
}

function say(words) {
  freeze(words !== "");
  for (const place of document.querySelectorAll("[data-connection]")) {
    if (place.textContent !== words) place.textContent = words;
  }
}

function ask() {
  askedAt = Date.now();
  board.querySelector(".refresh").requestSubmit();
  stream?.reader?.cancel(); // a connection that hangs: htmx makes another one,
  stream?.delayCanceller?.(); // at once
  board.dispatchEvent(new Event("ask")); // or its first
}

function watch() {
  const quietMs = Date.now() - heardAt;
  if (!navigator.onLine) say("You are offline. This is what was true then.");
  else if (quietMs > SILENT_MS) say("No connection to our service. This is what was true then.");
  if (quietMs > SILENT_MS && Date.now() - askedAt > ASK_MS) ask();
}

board.addEventListener("htmx:sse:before:connection", (event) => { stream = event.detail.connection; });
board.addEventListener("htmx:sse:close", () => { stream = null; });
board.addEventListener("htmx:after:swap", () => { restart(); heard(); });
board.addEventListener("htmx:sse:error", (event) => { if (event.detail.status === 401) location.reload(); }); // logged out
board.addEventListener("alive", (event) => {
  for (const time of board.querySelectorAll("[data-checked]")) time.textContent = event.detail.data;
  heard();
});
setInterval(watch, 1000);
addEventListener("offline", watch);
addEventListener("online", () => { askedAt = 0; heardAt = 0; watch(); });

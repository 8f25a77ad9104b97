// Keeps an open vehicles' dashboard up to date: htmx reloads it each minute, and a missing response is reported.
import { restart, say } from "./age.js";

const SILENT_MS = 150000; // two responses are missing
const board = document.getElementById("board");
const says = document.querySelector('script[src$="/vehicles.js"]').dataset; // our texts, in the reader's language
let heardAt = Date.now();

function watch() {
  if (!navigator.onLine) say(says.offline);
  else if (Date.now() - heardAt > SILENT_MS) say(says.unreachable);
}

board.addEventListener("htmx:after:swap", () => {
  if (!board.isConnected) location.reload(); // the response was another page: logged out, or no vehicle left
  heardAt = Date.now();
  restart();
  say("");
});
addEventListener("offline", watch);
setInterval(watch, 1000);

// Keeps an open vehicles' dashboard honest: htmx asks for it again each minute, and what is not answered is said.
import { restart, say } from "./age.js";

const SILENT_MS = 150000; // two answers are missing
const board = document.getElementById("board");
const says = document.querySelector('script[src$="/vehicles.js"]').dataset; // our words, in the reader's language
let heardAt = Date.now();

function watch() {
  if (!navigator.onLine) say(says.offline);
  else if (Date.now() - heardAt > SILENT_MS) say(says.unreachable);
}

board.addEventListener("htmx:after:swap", () => {
  if (!board.isConnected) location.reload(); // the answer was another page: logged out, or no vehicle any more
  heardAt = Date.now();
  restart();
  say("");
});
addEventListener("offline", watch);
setInterval(watch, 1000);

// Keeps an open vehicles' dashboard honest: htmx asks for it again each minute, and what is not answered is said.
import { restart, say } from "./age.js";

const SILENT_MS = 150000; // two answers are missing
const board = document.getElementById("board");
let heardAt = Date.now();

function watch() {
  if (!navigator.onLine) say("You are offline. This is what was true then.");
  else if (Date.now() - heardAt > SILENT_MS) say("No connection to our service. This is what was true then.");
}

board.addEventListener("htmx:after:swap", () => {
  if (!board.isConnected) location.reload(); // the answer was another page: logged out, or no vehicle any more
  heardAt = Date.now();
  restart();
  say("");
});
addEventListener("offline", watch);
setInterval(watch, 1000);

// Keeps an open dashboard or job page up to date. It shows what the bridge streams (stream.js). If nothing was received for 45
// s (the bridge sends every 15 s), also after a night in standby, it says so and then refreshes like the Refresh button.
import { restart, say } from "./age.js";

const SILENT_MS = 45000;
const ASK_MS = 15000;
const PART_WITHIN_MS = 15000;
const AGAIN_MS = 5000;
const LEAVE_MS = 5000; // after a logout or lost access: the page must not change under somebody's hands
const board = document.getElementById("board");
const unit = board.dataset.unit;
const SEEN = /(?<=[?]seen=).*/; // in the stream's address, which a refresh also updates
const says = document.querySelector('script[src$="/live.js"]').dataset; // our texts, in the reader's language
let heardAt = Date.now();
let askedAt = 0;
let leaving; // a timer
let post = () => {}; // sends to whoever holds the stream

// The mark of the state on the page.
function shown() {
  return decodeURIComponent(SEEN.exec(board.dataset.live)[0]);
}

function heard() {
  heardAt = Date.now();
  say("");
}

async function take({ kind, mark, data }) {
  if (kind === "gone" || (kind === "refused" && data === 401)) leaving ??= setTimeout(() => location.reload(), LEAVE_MS);
  if (kind === "refused" || kind === "gone") return;
  if (kind === "board" && mark !== shown()) {
    const text = await content(data).catch(() => null);
    if (text === null) {
      setTimeout(() => post({ again: true }), AGAIN_MS);
      return;
    }
    await htmx.swap({ text, target: board, sourceElement: board, swap: "innerMorph" });
    board.dataset.live = board.dataset.live.replace(SEEN, encodeURIComponent(mark));
  } else if (kind === "alive") {
    for (const time of board.querySelectorAll("[data-checked]")) time.textContent = data;
  }
  heard();
  post({ shows: shown() });
}

// Returns what the page shows of an event: the dashboard shows all of it, other pages request a part of their own.
async function content(data) {
  if (!board.dataset.part) return data;
  const part = new URL(`../../${board.dataset.part}`, import.meta.url);
  const answer = await fetch(part, {
    headers: { "HX-Request": "true" }, cache: "no-store", signal: AbortSignal.timeout(PART_WITHIN_MS),
  });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.text();
}

function join() {
  post({ join: { unit, shown: shown() } });
}

function ask() {
  askedAt = Date.now();
  board.querySelector(".refresh").requestSubmit();
  join();
  post({ again: true });
}

function watch() {
  const quietMs = Date.now() - heardAt;
  if (!navigator.onLine) say(says.offline);
  else if (quietMs > SILENT_MS) say(says.unreachable);
  if (quietMs > SILENT_MS && Date.now() - askedAt > ASK_MS) ask();
}

function shareStream() {
  const worker = new SharedWorker(new URL("stream_worker.js", import.meta.url), { type: "module", name: "chargekeeper" });
  worker.onerror = ownStream; // it could not be loaded
  worker.port.onmessage = (event) => take(event.data);
  post = (message) => worker.port.postMessage(message);
  join();
}

// Without SharedWorker, a page has its own stream while it is visible: one for each window rather than for each tab.
async function ownStream() {
  const { Stream } = await import("./stream.js");
  const stream = new Stream(new URL("../../live", import.meta.url).href);
  post = ({ join, shows, again, leave }) => {
    if (join && !document.hidden) stream.join(board, join.unit, join.shown, take);
    if (shows !== undefined) stream.shows(board, shows);
    if (again) stream.again();
    if (leave) stream.leave(board);
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? post({ leave: true }) : join()));
  join();
}

// Updates the number of unread answers in the navigation, which is not part of the stream.
function count() {
  const news = document.getElementById("help")?.dataset.news;
  if (news === undefined) return; // for support, and for pages without it
  document.querySelector(".badge").textContent = news === "0" ? "" : news;
  document.getElementById("news").textContent = news === "0" ? "" : says.unread.replace("{news}", news);
}

board.addEventListener("htmx:after:swap", () => { restart(); count(); heard(); post({ shows: shown() }); });
addEventListener("pagehide", () => post({ leave: true }));
addEventListener("pageshow", (event) => { if (event.persisted) join(); });
addEventListener("offline", watch);
addEventListener("online", () => { askedAt = 0; heardAt = 0; watch(); });
setInterval(watch, 1000);
if (globalThis.SharedWorker) shareStream();
else ownStream();

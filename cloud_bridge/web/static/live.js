// Keeps an open dashboard, or an installer's job, honest. It shows what the bridge streams (stream.js); says when nothing has come for 45 s (the
// bridge speaks every 15), also after a night in standby, and then asks as the Refresh button does.
import { restart, say } from "./age.js";

const SILENT_MS = 45000;
const ASK_MS = 15000;
const PART_WITHIN_MS = 15000;
const AGAIN_MS = 5000;
const LEAVE_MS = 5000; // logged out, or not theirs any more: not under the hands of somebody who is pressing a button
const board = document.getElementById("board");
const unit = board.dataset.unit;
const SEEN = /(?<=[?]seen=).*/; // in the address of its stream, which a refresh renews too
const says = document.querySelector('script[src$="/live.js"]').dataset; // our words, in the reader's language
let heardAt = Date.now();
let askedAt = 0;
let leaving; // the timer
let post = () => {}; // to whoever holds the stream

// The mark of the state that the page shows.
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

// What the board shows of that: the dashboard all of it, another page a part of its own, which is asked for.
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

// Where there is no SharedWorker, a page has a stream while it is looked at: one for a window, not for a tab.
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

// The answers that are not read, in the navigation, which is outside of what is streamed.
function count() {
  const news = document.getElementById("help")?.dataset.news;
  if (news === undefined) return; // of support, and of a page that does not tell
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

// Updates an open conversation with new messages and the state of the installer's job. It polls while the page is visible:
// every 5 s, then less often if nothing is new, and not at all after an hour until the page becomes visible again. It only
// appends messages and changes the line below them, so typed text and focus remain.
const FIRST_MS = 5000;
const MOST_MS = 60000;
const SLOWER = 1.2;
const LONGEST_MS = 3600000;
const WITHIN_MS = 15000; // for one request
const thread = document.getElementById("thread");
const [messages, progress] = thread.children;
const news = new URL(`../../support/${thread.dataset.conversation}/news`, import.meta.url);
let everyMs;
let until;
let timer;

async function ask() {
  news.search = new URLSearchParams({ after: thread.dataset.after, progress: thread.dataset.progress });
  try {
    const answer = await fetch(news, {
      headers: { "HX-Request": "true" }, cache: "no-store", signal: AbortSignal.timeout(WITHIN_MS),
    });
    if (answer.status >= 400 && answer.status < 500) return; // logged out, or no longer theirs
    if (answer.status === 200) show(await answer.text());
  } catch { /* no connection: poll again */ }
  everyMs = Math.min(MOST_MS, everyMs * SLOWER);
  wait();
}

function show(html) {
  const [told] = new DOMParser().parseFromString(html, "text/html").body.children;
  const [more, line] = told.children;
  if (more.children.length) document.getElementById("newest")?.removeAttribute("id");
  messages.append(...more.children);
  progress.replaceChildren(...line.childNodes);
  Object.assign(thread.dataset, told.dataset);
  everyMs = FIRST_MS;
  until = Date.now() + LONGEST_MS;
}

function wait() {
  clearTimeout(timer);
  if (!document.hidden && Date.now() < until) timer = setTimeout(ask, everyMs);
}

function look() {
  everyMs = FIRST_MS;
  until = Date.now() + LONGEST_MS;
  wait();
}

document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : look()));
look();

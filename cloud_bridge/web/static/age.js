// Ages "5 seconds ago" while the page is open; the words are those of web/words.py. Without it, Refresh does the same.
// Time is the browser's difference, never its clock: a phone with a wrong time shows the right age.
let shownAt = Date.now(); // when the ages on the page were right
let frozen = false;

function ago(ms) {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  if (seconds < 5) return "Just now";
  for (const [size, name, upto] of [[1, "second", 60], [60, "minute", 3600], [3600, "hour", 48 * 3600]]) {
    if (seconds < upto) {
      const count = Math.floor(seconds / size);
      return `${count} ${name}${count === 1 ? "" : "s"} ago`;
    }
  }
  return `${Math.floor(seconds / 86400)} days ago`;
}

function tick() {
  for (const time of document.querySelectorAll("time[data-age-ms]")) {
    const words = ago(Number(time.dataset.ageMs) + Date.now() - shownAt);
    if (!frozen && time.textContent !== words) time.textContent = words;
  }
}

// While we cannot ask, an age that went on growing would claim a silence that we know nothing of.
export function freeze(on) {
  frozen = on;
  document.body.classList.toggle("frozen", on);
}

// New ages have come.
export function restart() {
  shownAt = Date.now();
  tick();
}

setInterval(tick, 1000);

// Ages "5 seconds ago" while the page is open; the words are those of web/words.py. Without it, Refresh does the same.
"use strict";
const opened = Date.now();

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

setInterval(() => {
  for (const time of document.querySelectorAll("time[data-age-ms]")) {
    time.textContent = ago(Number(time.dataset.ageMs) + Date.now() - opened);
  }
}, 1000);

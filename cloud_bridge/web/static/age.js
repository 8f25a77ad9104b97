// Ages "5 seconds ago" and "for 31 minutes" while the page is open, in the language of the page; the words are those of
// web/presentation/words.py, which has them from the same tables (CLDR). Without it, Refresh does the same.
// Time is the browser's difference, never its clock: a phone with a wrong time shows the right age.
const { lang } = document.documentElement;
const { now } = document.querySelector("script[data-now]").dataset; // of the script that wants the ages
const agoIn = new Intl.RelativeTimeFormat(lang);
let shownAt = Date.now(); // when the ages on the page were right
let frozen = false;

function ago(ms) {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  if (seconds < 5) return now;
  for (const [size, name, upto] of [[1, "second", 60], [60, "minute", 3600], [3600, "hour", 48 * 3600]]) {
    if (seconds < upto) return agoIn.format(-Math.floor(seconds / size), name);
  }
  return agoIn.format(-Math.floor(seconds / 86400), "day");
}

function lasting(ms) {
  const minutes = Math.max(1, Math.floor(ms / 60000));
  if (minutes < 120) return counted(minutes, "minute");
  return minutes < 48 * 60 ? counted(minutes / 60, "hour") : counted(minutes / 1440, "day");
}

function counted(amount, unit) {
  return new Intl.NumberFormat(lang, { style: "unit", unit, unitDisplay: "long" }).format(Math.floor(amount));
}

function tick() {
  if (frozen) return;
  const passedMs = Date.now() - shownAt;
  for (const time of document.querySelectorAll("[data-age-ms]")) put(time, ago(Number(time.dataset.ageMs) + passedMs));
  for (const time of document.querySelectorAll("[data-lasting-ms]")) {
    put(time, lasting(Number(time.dataset.lastingMs) + passedMs));
  }
}

function put(place, words) {
  if (place.textContent !== words) place.textContent = words;
}

// That we cannot ask; "" while we can. An age that went on growing meanwhile would claim a silence that we know nothing of.
export function say(words) {
  frozen = words !== "";
  document.body.classList.toggle("frozen", frozen);
  for (const place of document.querySelectorAll("[data-connection]")) put(place, words);
}

// New ages have come.
export function restart() {
  shownAt = Date.now();
  tick();
}

setInterval(tick, 1000);

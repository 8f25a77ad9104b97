// Updates ages ("5 seconds ago") and durations ("31 minutes") while the page is open, in the page's language. The texts are
// those of web/presentation/words.py, which uses the same tables (CLDR). Without this script, Refresh updates them. Only
// differences of the browser's clock are used, so ages are right even on a phone with a wrong time.
const { lang } = document.documentElement;
const { now } = document.querySelector("script[data-now]").dataset; // from the script that uses this module
const agoIn = new Intl.RelativeTimeFormat(lang);
let shownAt = Date.now(); // when the page got its ages
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

// Show that the bridge cannot be asked; "" when it can. Meanwhile ages stop: a growing age would claim a silence that is not
// known.
export function say(words) {
  frozen = words !== "";
  document.body.classList.toggle("frozen", frozen);
  for (const place of document.querySelectorAll("[data-connection]")) put(place, words);
}

// Restart after the page got new ages.
export function restart() {
  shownAt = Date.now();
  tick();
}

setInterval(tick, 1000);

// Uploads a photo over a bad connection: it is scaled down on the phone, sent when there is a connection, and sent again if
// that breaks. The bridge stores the same photo only once. Without this script, the form uploads it in the ordinary way.
const SIDE = 1600; // longest side in pixels, as the bridge stores it
const QUALITY = 0.82;
const SMALL_BYTES = 400000; // smaller files are not scaled down
const WITHIN_MS = 180000;
const AGAIN_MS = [1000, 3000, 9000];
const says = document.querySelector('script[src$="/photos.js"]').dataset; // our texts, in the reader's language
const form = document.getElementById("photo");
const [input, button, status] = ["input[type=file]", "button", "[role=status]"].map((one) => form.querySelector(one));

async function smaller(file) {
  if (file.size <= SMALL_BYTES) return file;
  const image = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, SIDE / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height].map((side) => Math.max(1, Math.round(side * scale)));
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  const made = await new Promise((done) => { canvas.toBlob(done, "image/jpeg", QUALITY); });
  return made && made.size < file.size ? made : file;
}

function say(words) {
  status.textContent = words;
}

async function send() {
  const [file] = input.files;
  if (!file) return;
  button.disabled = true;
  say(says.sending);
  const body = new FormData(form);
  body.set("photo", await smaller(file).catch(() => file), "photo.jpg");
  for (const againMs of [...AGAIN_MS, 0]) {
    const answer = await fetch(form.action, { method: "POST", body, signal: AbortSignal.timeout(WITHIN_MS) }).catch(() => null);
    if (answer && answer.status < 500) return show(answer);
    if (againMs) {
      say(navigator.onLine ? says.broken : says.offline);
      await ready(againMs);
    }
  }
  button.disabled = false;
  say(says.notSent);
}

// Waits for some time or, if the phone is offline, until it is online.
function ready(ms) {
  return new Promise((done) => {
    if (navigator.onLine) setTimeout(done, ms);
    else addEventListener("online", done, { once: true });
  });
}

async function show(answer) {
  if (answer.ok) {
    location.hash = "photos";
    location.reload();
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const problem = page.querySelector(".problem") ?? page.querySelector("main p");
  button.disabled = false;
  form.reset();
  say(problem ? problem.textContent : says.notStored);
}

button.hidden = true;
input.addEventListener("change", () => { button.hidden = false; send(); });
form.addEventListener("submit", (event) => { event.preventDefault(); send(); });

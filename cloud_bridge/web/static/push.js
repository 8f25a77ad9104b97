// Allows notifications in this browser. It asks for permission only when the button is pressed.
const box = document.getElementById("push");
const [status, button] = [box.querySelector("[role=status]"), box.querySelector("button")];
const says = document.querySelector('script[src$="/push.js"]').dataset; // our texts, in the reader's language
const root = new URL("../../", import.meta.url);  // also right below a path
const page = new URL("account/notifications/", root);
const IS_APPLE_PHONE = /iPhone|iPad/.test(navigator.userAgent);

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
const same = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);

function say(words, canAllow) {
  status.textContent = words;
  button.hidden = !canAllow;
}

/** Returns a subscription with our present key. A subscription with an older key is useless, and is replaced. */
async function subscribe(worker, key) {
  const old = await worker.pushManager.getSubscription();
  if (old && old.options.applicationServerKey && same(new Uint8Array(old.options.applicationServerKey), key)) return old;
  await old?.unsubscribe();
  return worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

async function allow() {
  button.disabled = true;
  try {
    if ((await Notification.requestPermission()) !== "granted") {
      return say(says.refused);
    }
    const { key, form } = await (await fetch(new URL("push-key", page))).json();
    const { endpoint, keys } = (await subscribe(await navigator.serviceWorker.ready, bytes(key))).toJSON();
    const sent = new URLSearchParams({ form, endpoint, p256dh: keys.p256dh, auth: keys.auth });
    const answer = await fetch(new URL("browsers", page), { method: "POST", body: sent });
    if (!answer.ok) throw new Error(`answer ${answer.status}`);
    location.reload();
  } catch (error) {
    console.info(error);
    say(says.failed, true);
  } finally {
    button.disabled = false;
  }
}

async function look() {
  if (!("PushManager" in window) || !("serviceWorker" in navigator) || !("Notification" in window)) {
    return say(IS_APPLE_PHONE ? says.needsHomeScreen : says.cannot);
  }
  if (Notification.permission === "denied") {
    return say(says.blocked);
  }
  const worker = await navigator.serviceWorker.ready;
  const subscription = await worker.pushManager.getSubscription();
  if (box.dataset.on === "yes" && subscription) return say(says.on);
  await subscription?.unsubscribe();  // it was removed here, or belongs to another person's login
  say(says.off, true);
}

button.addEventListener("click", allow);
look();

// Caches the static files and the offline page for a slow or missing network. Pages and data come only from the network.
const OFFLINE = {{ offline|tojson }};
const KEPT = "shell-{{ version }}-{{ language }}";
const SHELL = {{ (shell + [offline])|tojson }};
const ROOT = {{ (root + "/")|tojson }};  // the path below which our pages are

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(SHELL)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = (names) => Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name)));
  event.waitUntil(caches.keys().then(old).then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const request = event.request;
  if (request.mode === "navigate" && request.method === "GET") {
    event.respondWith(fetch(request).catch(() => caches.match(OFFLINE)));
  } else if (SHELL.includes(new URL(request.url).pathname)) {
    event.respondWith(caches.match(request, { ignoreSearch: true }).then((kept) => kept ?? fetch(request)));
  }
});

// Web Push: show a notification even if the message cannot be read. Browsers revoke the permission of a site that shows none.
self.addEventListener("push", (event) => {
  let notice = {};
  try {
    notice = event.data.json();
  } catch {}
  const { title = "Chargekeeper", body = {{ _("Open Chargekeeper to see what is new.")|tojson }}, tag = "", path = "" } = notice;
  event.waitUntil(self.registration.showNotification(title, { body, tag, data: { path } }));
});

// A click opens only our own pages, whatever path the message has.
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const start = new URL(ROOT, self.location.origin);
  const asked = new URL(ROOT + String(event.notification.data?.path ?? "").slice(1), start);
  const page = asked.origin === start.origin && asked.pathname.startsWith(start.pathname) ? asked : start;
  const open = async () => {
    const pages = await self.clients.matchAll({ type: "window" });
    const there = pages.find((one) => one.url === page.href);
    return there ? there.focus() : self.clients.openWindow(page.href);
  };
  event.waitUntil(open());
});

// The browser has replaced its subscription: send the new one to the bridge.
self.addEventListener("pushsubscriptionchange", (event) => {
  const renew = async () => {
    const settings = new URL(`${ROOT}account/notifications/`, self.location.origin);
    const { key, form } = await (await fetch(new URL("push-key", settings))).json();
    const bytes = Uint8Array.from(atob(key.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
    const options = { userVisibleOnly: true, applicationServerKey: bytes };
    const { endpoint, keys } = (event.newSubscription ?? (await self.registration.pushManager.subscribe(options))).toJSON();
    const body = new URLSearchParams({ form, endpoint, p256dh: keys.p256dh, auth: keys.auth });
    await fetch(new URL("browsers", settings), { method: "POST", body });
  };
  event.waitUntil(renew());
});

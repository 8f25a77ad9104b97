// Registers the service worker, which caches the shell (see worker.js), if the browser supports it.
const worker = new URL(`../../worker.js?language=${document.documentElement.lang}`, import.meta.url);
navigator.serviceWorker?.register(worker);

// Lets the browser keep the shell (see worker.js), where it can.
const worker = new URL(`../../worker.js?language=${document.documentElement.lang}`, import.meta.url);
navigator.serviceWorker?.register(worker);

// Lets the browser keep the shell (see worker.js), where it can.
navigator.serviceWorker?.register(new URL("../../worker.js", import.meta.url));

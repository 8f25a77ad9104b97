// The live stream of all open pages of a browser. It is one request for all pages, because a browser allows only six
// connections to a host, and each page would occupy one (stream_worker.js; without SharedWorker, it runs in the page). It
// requests the charge points that any page shows, each with the mark of the shown state. The response is server-sent events
// whose id is "charge point:mark".
const SILENT_MS = 45000; // the bridge sends every 15 s
const GONE_MS = 180000; // a page answers each keep-alive; one that does not was closed without a message
const CLOSED_MS = 60000; // after the bridge closed this stream in favour of newer ones of the account
const AGAIN_MS = [500, 1000, 2000, 5000, 15000];
const GATHER_MS = 50; // pages that open at the same time share a request
const MOST = 50; // most charge points in one request; the pages opened last take precedence

export class Stream {
  #pages = new Map(); // page -> { unit, shown, send, heardAt }
  #asked = new Map(); // charge point -> newest mark, in the open request
  #request = null;
  #failures = 0;
  #running = false;
  #wake = null;
  #gathering = 0;
  #closed = false;

  constructor(url) {
    this.url = url;
  }

  // `page` is any object that identifies the page; `send` is called with { kind, mark, data }.
  join(page, unit, shown, send) {
    const known = this.#asked.get(unit);
    this.#pages.delete(page); // move it to the end, as the newest
    this.#pages.set(page, { unit, shown, send, heardAt: Date.now() });
    if (known !== shown) this.#renew();
    this.#run();
  }

  // Reports what the page shows now.
  shows(page, shown) {
    const its = this.#pages.get(page);
    if (its) Object.assign(its, { shown, heardAt: Date.now() });
  }

  leave(page) {
    this.#pages.delete(page);
    if (!this.#pages.size) this.#renew();
  }

  // The connection may be dead: reconnect at once.
  again() {
    this.#failures = 0;
    this.#renew();
  }

  #renew() {
    clearTimeout(this.#gathering);
    this.#gathering = setTimeout(() => { this.#request?.abort(); this.#wake?.(); }, GATHER_MS);
  }

  async #run() {
    if (this.#running) return;
    this.#running = true;
    while (this.#pages.size) {
      const request = this.#request = new AbortController();
      await this.#listen(request.signal).catch(() => {});
      this.#request = null;
      this.#asked.clear();
      if (!request.signal.aborted) {
        const againMs = this.#closed ? CLOSED_MS : AGAIN_MS[Math.min(this.#failures, AGAIN_MS.length - 1)];
        this.#closed = false;
        await this.#wait(againMs * (0.7 + 0.6 * Math.random()));
        this.#failures += 1;
      }
    }
    this.#running = false;
  }

  #wait(ms) {
    return new Promise((done) => { this.#wake = done; setTimeout(done, ms); });
  }

  async #listen(signal) {
    const answer = await fetch(this.#address(), { headers: { "HX-Request": "true" }, cache: "no-store", signal });
    if (!answer.ok) {
      this.#tell(this.#pages.values(), { kind: "refused", data: answer.status });
      return;
    }
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const silence = setTimeout(() => this.#request?.abort(), SILENT_MS);
      const { done, value } = await reader.read().finally(() => clearTimeout(silence));
      if (done) return;
      const events = (rest + value).split("\n\n");
      rest = events.pop();
      events.forEach((event) => this.#take(event));
      this.#failures = 0;
    }
  }

  // If pages show different states of a charge point, it is requested without a mark, so its state is sent at once.
  #address() {
    for (const { unit, shown } of [...this.#pages.values()].slice(-MOST)) {
      const other = this.#asked.has(unit) && this.#asked.get(unit) !== shown;
      this.#asked.set(unit, other ? "" : shown);
    }
    return `${this.url}?${new URLSearchParams([...this.#asked].map(([unit, mark]) => ["of", `${unit}:${mark}`]))}`;
  }

  #take(event) {
    const fields = { event: "board", id: "", data: [] };
    for (const line of event.split("\n")) {
      const [name, ...words] = line.split(": ");
      if (name === "data") fields.data.push(words.join(": "));
      else fields[name] = words.join(": ");
    }
    if (fields.event === "closed") {
      this.#closed = true;
      return;
    }
    const at = fields.id.indexOf(":");
    const [unit, mark] = [fields.id.slice(0, at), fields.id.slice(at + 1)];
    if (fields.event === "board") this.#asked.set(unit, mark);
    const now = Date.now();
    for (const [page, { heardAt }] of this.#pages) if (now - heardAt > GONE_MS) this.#pages.delete(page);
    const theirs = [...this.#pages.values()].filter((page) => page.unit === unit);
    this.#tell(theirs, { kind: fields.event, mark, data: fields.data.join("\n") });
  }

  #tell(pages, message) {
    for (const page of pages) page.send(message);
  }
}

// A serial port with a modem that talks AT, over npm's serialport: commands, lines, prompts and counted bytes.
import { SerialPort } from "serialport";

export const ANSWER_MS = 10_000;
export const LONG_MS = 150_000; // where a network has to answer
const FAILED = /^(ERROR|SEND FAIL|\+CM[ES] ERROR|\+CIPERROR|.*CONNECT FAIL)/;

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class AtPort {
  #received = Buffer.alloc(0);
  #stirred = () => {};

  // `isUnsolicited` sees every line first and keeps those that are URCs, by returning true.
  constructor(port, isUnsolicited) {
    this.port = port;
    this.isUnsolicited = isUnsolicited;
    port.on("data", (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#stirred();
    });
  }

  static async open(path, isUnsolicited) {
    const port = new SerialPort({ path, baudRate: 115200 });
    await new Promise((resolve, reject) => port.once("open", resolve).once("error", reject));
    return new AtPort(port, isUnsolicited);
  }

  write(chunk) {
    this.port.write(chunk);
  }

  close() {
    this.port.close();
  }

  async bytes(count, within, about) {
    if (count === 0) return Buffer.alloc(0);
    return this.#taken(() => (this.#received.length >= count ? count : 0), within, about);
  }

  prompt(mark, within, about) {
    return this.#taken(
      () => (this.#received.includes(mark) ? this.#received.indexOf(mark) + mark.length : 0),
      within,
      about,
    );
  }

  // Everything up to the first of the characters `ends` behind `name`; URCs before it go their way.
  async header(name, ends, within, about) {
    const end = () => {
      const text = this.#received.toString("latin1");
      const start = text.indexOf(name);
      if (start < 0) return 0;
      for (let at = start + name.length; at < text.length; at++) if (ends.includes(text[at])) return at + 1;
      return 0;
    };
    const text = (await this.#taken(end, within, about)).toString("latin1");
    for (const line of text.split("\r\n").slice(0, -1)) this.isUnsolicited(line);
    return text;
  }

  // The next line that is no URC and not empty.
  async line(within, about) {
    for (;;) {
      const raw = await this.#taken(() => this.#received.indexOf("\n") + 1, within, about);
      const text = raw.toString("latin1").trim();
      if (text !== "" && !this.isUnsolicited(text)) return text;
    }
  }

  // Sends a command; returns its lines up to a final result that is one of `finals`. Throws on any other.
  async command(text, within = ANSWER_MS, finals = ["OK"]) {
    this.write(`${text}\r`);
    const lines = [];
    for (;;) {
      const said = await this.line(within, text);
      if (finals.includes(said)) return lines;
      if (FAILED.test(said)) throw new Error(`${text}: ${said}`);
      if (said !== text) lines.push(said);
    }
  }

  async #taken(find, within, about) {
    const deadline = Date.now() + within;
    for (;;) {
      const end = find();
      if (end > 0) {
        const piece = this.#received.subarray(0, end);
        this.#received = this.#received.subarray(end);
        return piece;
      }
      const left = deadline - Date.now();
      if (left <= 0) {
        const seen = JSON.stringify(this.#received.toString("latin1"));
        throw new Error(`${about}: no answer in ${within} ms, only ${seen}`);
      }
      let timer;
      await new Promise((resolve) => {
        this.#stirred = resolve;
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
  }
}

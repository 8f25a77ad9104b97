// A SIM800 client as the most used C++ library for these modems drives one, over npm's serialport: bearer profile, context,
// one of several links, quick send, manual receive. The commands are those of the SIM800 Series TCPIP Application Note and
// AT Command Manual V1.12, in the order that such a client's traces show; nothing is taken from its source.
//
//   node sim800_tcp.mjs PORT HOST TCP_PORT
//
// What the server sends until it closes is sent back to it in a second connection.
import { SerialPort } from "serialport";

const [, , path, host, tcpPort] = process.argv;
const LINK = 0;
const PIECE_BYTES = 1460;
const ANSWER_MS = 10_000;
const LONG_MS = 85_000; // AT+SAPBR, AT+CIICR, AT+CIPSTART
const RETRY_MS = 50; // where the modem has nothing yet, or no room

const port = new SerialPort({ path, baudRate: 115200 });
await new Promise((resolve, reject) => port.once("open", resolve).once("error", reject));
let received = Buffer.alloc(0);
let stirred = () => {};
port.on("data", (chunk) => {
  received = Buffer.concat([received, chunk]);
  stirred();
});

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function taken(find, within, about) {
  const deadline = Date.now() + within;
  for (;;) {
    const end = find();
    if (end > 0) {
      const piece = received.subarray(0, end);
      received = received.subarray(end);
      return piece;
    }
    const left = deadline - Date.now();
    if (left <= 0) throw new Error(`${about}: no answer in ${within} ms, only ${JSON.stringify(received.toString("latin1"))}`);
    let timer;
    await new Promise((resolve) => {
      stirred = resolve;
      timer = setTimeout(resolve, left);
    });
    clearTimeout(timer);
  }
}

const bytes = (count, within, about) => taken(() => (received.length >= count ? count : 0), within, about);

let closed = false;
async function line(within, about) {
  for (;;) {
    const raw = await taken(() => received.indexOf("\n") + 1, within, about);
    const text = raw.toString("latin1").trim();
    if (text === `${LINK}, CLOSED` || text === `${LINK},CLOSED`) closed = true;
    else if (text !== "" && !text.startsWith("+CIPRXGET: 1,")) return text;
  }
}

// Sends a command; returns its lines up to a final result that is one of `finals`. Throws on any other.
async function command(text, within = ANSWER_MS, finals = ["OK"]) {
  port.write(`${text}\r`);
  const lines = [];
  for (;;) {
    const said = await line(within, text);
    if (finals.includes(said)) return lines;
    if (/^(ERROR|\+CM[ES] ERROR|.*FAIL)/.test(said)) throw new Error(`${text}: ${said}`);
    if (said !== text) lines.push(said);
  }
}

async function bringUp() {
  for (const text of ["AT", "ATE0", "AT+CMEE=0", "AT+CLTS=1", "AT+CBATCHK=1", "AT+CPIN?"]) await command(text);
  for (;;) {
    const [state] = await command("AT+CGREG?");
    if (/,[15]$/.test(state)) break;
    await pause(RETRY_MS);
  }
  await command("AT+CIPSHUT", LONG_MS, ["SHUT OK"]);
  await command("AT+CGATT=0", LONG_MS);
  for (const tag of ['"Contype","GPRS"', '"APN","internet"']) await command(`AT+SAPBR=3,1,${tag}`);
  await command('AT+CGDCONT=1,"IP","internet"');
  await command("AT+CGACT=1,1", LONG_MS);
  await command("AT+SAPBR=1,1", LONG_MS);
  const [bearer] = await command("AT+SAPBR=2,1");
  if (!/^\+SAPBR: 1,1,"\d+\.\d+\.\d+\.\d+"$/.test(bearer)) throw new Error(`bearer: ${bearer}`);
  for (const text of ["AT+CGATT=1", "AT+CIPMUX=1", "AT+CIPQSEND=1", "AT+CIPRXGET=1", 'AT+CSTT="internet","",""'])
    await command(text, LONG_MS);
  await command("AT+CIICR", LONG_MS);
  await command("AT+CIFSR;E0"); // AT+CIFSR alone has no final result
  await command('AT+CDNSCFG="8.8.8.8","8.8.4.4"');
}

async function connect() {
  closed = false;
  await command(`AT+CIPSTART=${LINK},"TCP","${host}",${tcpPort}`, LONG_MS, [`${LINK}, CONNECT OK`]);
}

async function receive() {
  const pieces = [];
  for (;;) {
    const [waiting] = await command(`AT+CIPRXGET=4,${LINK}`).catch((error) => {
      if (closed) return ["+CIPRXGET: 4,0,0"]; // the link ended and holds nothing
      throw error;
    });
    if (Number(waiting.split(",")[2]) > 0) pieces.push(await read());
    else if (closed) return Buffer.concat(pieces);
    else await pause(RETRY_MS);
  }
}

async function read() {
  const text = `AT+CIPRXGET=2,${LINK},${PIECE_BYTES}`;
  port.write(`${text}\r`);
  const header = /^\+CIPRXGET: 2,\d+,(\d+),\d+$/.exec(await line(ANSWER_MS, text));
  if (header === null) throw new Error(`${text}: no header`);
  const piece = await bytes(Number(header[1]), ANSWER_MS, text);
  const final = await line(ANSWER_MS, text);
  if (final !== "OK") throw new Error(`${text}: ${final}`);
  return piece;
}

async function send(content) {
  for (let at = 0; at < content.length; ) {
    const piece = content.subarray(at, at + PIECE_BYTES);
    const text = `AT+CIPSEND=${LINK},${piece.length}`;
    port.write(`${text}\r`);
    const prompt = await taken(() => received.indexOf("> ") + 2 * received.includes("> "), ANSWER_MS, text);
    if (prompt.includes("ERROR")) throw new Error(`${text}: ${prompt}`);
    port.write(piece);
    const accepted = new RegExp(`^DATA ACCEPT:${LINK},(\\d+)$`).exec(await line(ANSWER_MS, text));
    if (accepted === null) throw new Error(`${text}: not accepted`);
    at += Number(accepted[1]); // it takes less than offered where the far side lags behind
    if (Number(accepted[1]) < piece.length) await pause(RETRY_MS);
  }
}

async function flushed() {
  for (;;) {
    const [counts] = await command(`AT+CIPACK=${LINK}`);
    if (counts.endsWith(",0")) return;
    await pause(RETRY_MS);
  }
}

await bringUp();
await connect();
const content = await receive();
await connect();
await send(content);
await flushed();
await command(`AT+CIPCLOSE=${LINK},1`, ANSWER_MS, [`${LINK}, CLOSE OK`]);
await command("AT+CIPSHUT", LONG_MS, ["SHUT OK"]);
await command("AT+SAPBR=0,1", LONG_MS);
console.log(JSON.stringify({ bytes: content.length }));
port.close();

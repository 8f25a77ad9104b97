// A client that moves bytes over the TCP commands of a modem, each family by its own, over npm's serialport.
//
//   node tcp_client.mjs FAMILY PORT HOST TCP_PORT
//
// What the server sends until it closes is sent back to it in a second connection. SIM800 goes the way that traces of the most
// used C++ library for these modems show (bearer profile first, one of several links, quick send, manual receive); the others
// go the way of the examples in their application notes. Nothing is taken from anybody's source.
import { ANSWER_MS, AtPort, LONG_MS, pause } from "./at_port.mjs";

const [, , family, path, host, tcpPort] = process.argv;
const PIECE_BYTES = 1459; // what the smallest of them takes at once
const RETRY_MS = 50; // where the modem has nothing yet, or no room

let closed = false;

class Client {
  constructor(at) {
    this.at = at;
  }

  async registered(command) {
    for (;;) {
      const [state] = await this.at.command(command);
      if (/,[15](,|$)/.test(state)) return;
      await pause(RETRY_MS);
    }
  }

  // A command whose outcome comes as a line behind OK.
  async outcome(command, wanted) {
    await this.at.command(command, LONG_MS);
    const said = await this.at.line(LONG_MS, command);
    if (said !== wanted) throw new Error(`${command}: ${said}`);
  }

  // Bytes behind a header that says how many, then OK; none where OK comes at once.
  async counted(command, header) {
    this.at.write(`${command}\r`);
    const said = await this.at.line(ANSWER_MS, command);
    if (said === "OK") return Buffer.alloc(0);
    const found = header.exec(said);
    if (found === null) throw new Error(`${command}: ${said}`);
    const piece = await this.at.bytes(Number(found[1]), ANSWER_MS, command);
    const final = await this.at.line(ANSWER_MS, command);
    if (final !== "OK") throw new Error(`${command}: ${final}`);
    return piece;
  }

  async offer(command, mark, piece) {
    this.at.write(`${command}\r`);
    const before = await this.at.prompt(mark, ANSWER_MS, command);
    if (before.includes("ERROR")) throw new Error(`${command}: ${before}`);
    this.at.write(piece);
    return this.at.line(ANSWER_MS, command);
  }

  async receiveAll() {
    const pieces = [];
    for (;;) {
      const last = closed; // what came before the end is still there
      const piece = await this.read();
      pieces.push(piece);
      if (piece.length === 0 && last) return Buffer.concat(pieces);
      if (piece.length === 0) await pause(RETRY_MS);
    }
  }

  async sendAll(content) {
    for (let at = 0; at < content.length; ) {
      const piece = content.subarray(at, at + PIECE_BYTES);
      const accepted = await this.send(piece);
      at += accepted; // it takes less than offered where the far side lags behind
      if (accepted < piece.length) await pause(RETRY_MS);
    }
    while ((await this.unacknowledged()) > 0) await pause(RETRY_MS);
  }
}

class Sim800 extends Client {
  static urc = /^\+CIPRXGET: 1,0$/;
  static closed = /^0, ?CLOSED$/;

  async bringUp() {
    for (const text of ["AT+CLTS=1", "AT+CBATCHK=1"]) await this.at.command(text);
    await this.registered("AT+CGREG?");
    await this.at.command("AT+CIPSHUT", LONG_MS, ["SHUT OK"]);
    await this.at.command("AT+CGATT=0", LONG_MS);
    for (const tag of ['"Contype","GPRS"', '"APN","internet"']) await this.at.command(`AT+SAPBR=3,1,${tag}`);
    await this.at.command('AT+CGDCONT=1,"IP","internet"');
    await this.at.command("AT+CGACT=1,1", LONG_MS);
    await this.at.command("AT+SAPBR=1,1", LONG_MS);
    const [bearer] = await this.at.command("AT+SAPBR=2,1");
    if (!/^\+SAPBR: 1,1,"\d+\.\d+\.\d+\.\d+"$/.test(bearer)) throw new Error(`bearer: ${bearer}`);
    for (const text of ["AT+CGATT=1", "AT+CIPMUX=1", "AT+CIPQSEND=1", "AT+CIPRXGET=1", 'AT+CSTT="internet","",""'])
      await this.at.command(text, LONG_MS);
    await this.at.command("AT+CIICR", LONG_MS);
    await this.at.command("AT+CIFSR;E0"); // AT+CIFSR alone has no final result
    await this.at.command('AT+CDNSCFG="8.8.8.8","8.8.4.4"');
  }

  connect() {
    return this.outcome(`AT+CIPSTART=0,"TCP","${host}",${tcpPort}`, "0, CONNECT OK");
  }

  async read() {
    const [waiting] = await this.at.command("AT+CIPRXGET=4,0").catch((error) => {
      if (closed) return ["+CIPRXGET: 4,0,0"]; // the link ended and holds nothing
      throw error;
    });
    if (waiting.endsWith(",0")) return Buffer.alloc(0);
    return this.counted(`AT+CIPRXGET=2,0,${PIECE_BYTES}`, /^\+CIPRXGET: 2,0,(\d+),\d+$/);
  }

  async send(piece) {
    const said = await this.offer(`AT+CIPSEND=0,${piece.length}`, "> ", piece);
    return Number(/^DATA ACCEPT:0,(\d+)$/.exec(said)[1]);
  }

  async unacknowledged() {
    const [counts] = await this.at.command("AT+CIPACK=0");
    return Number(counts.split(",")[2]);
  }

  disconnect() {
    return this.at.command("AT+CIPCLOSE=0,1", ANSWER_MS, ["0, CLOSE OK"]);
  }

  async shutDown() {
    await this.at.command("AT+CIPSHUT", LONG_MS, ["SHUT OK"]);
    await this.at.command("AT+SAPBR=0,1", LONG_MS);
  }
}

class CaOpen extends Client {
  static urc = /^\+CADATAIND: 0$/;
  static closed = /^\+CASTATE: 0,0$/;

  async bringUp() {
    await this.registered("AT+CEREG?");
    await this.at.command('AT+CNCFG=0,1,"internet"');
    await this.outcome("AT+CNACT=0,1", "+APP PDP: 0,ACTIVE");
  }

  async connect() {
    const [result] = await this.at.command(`AT+CAOPEN=0,0,"TCP","${host}",${tcpPort}`, LONG_MS);
    if (result !== "+CAOPEN: 0,0") throw new Error(result);
  }

  async reconnect() {
    await this.disconnect(); // a link that the far side closed is taken until then
    await this.connect();
  }

  async read() {
    const command = "AT+CARECV=0,1459";
    this.at.write(`${command}\r`);
    // The bytes follow in the same line, and "+CARECV: 0" ends with it.
    const count = Number(/\+CARECV: (\d+)[,\r]$/.exec(await this.at.header("+CARECV: ", ",\r", ANSWER_MS, command))[1]);
    const piece = await this.at.bytes(count, ANSWER_MS, command);
    const final = await this.at.line(ANSWER_MS, command);
    if (final !== "OK") throw new Error(`${command}: ${final}`);
    return piece;
  }

  async send(piece) {
    const said = await this.offer(`AT+CASEND=0,${piece.length}`, ">", piece);
    if (said !== "OK" && said !== "ERROR") throw new Error(`sent: ${said}`);
    return said === "OK" ? piece.length : 0;
  }

  async unacknowledged() {
    const [counts] = await this.at.command("AT+CAACK=0");
    return Number(counts.split(",")[1]);
  }

  disconnect() {
    return this.at.command("AT+CACLOSE=0", LONG_MS);
  }

  shutDown() {
    return this.outcome("AT+CNACT=0,0", "+APP PDP: 0,DEACTIVE");
  }
}

class NetOpen extends Client {
  static urc = /^\+CIPRXGET: 1,0$/;
  static closed = /^\+IPCLOSE: 0,1$/;

  async bringUp() {
    await this.registered("AT+CEREG?");
    await this.at.command('AT+CGDCONT=1,"IP","internet"');
    await this.outcome("AT+NETOPEN", "+NETOPEN: 0");
    await this.at.command("AT+CIPRXGET=1");
  }

  connect() {
    return this.outcome(`AT+CIPOPEN=0,"TCP","${host}",${tcpPort}`, "+CIPOPEN: 0,0");
  }

  async read() {
    const [waiting] = await this.at.command("AT+CIPRXGET=4,0");
    if (waiting.endsWith(",0")) return Buffer.alloc(0);
    return this.counted("AT+CIPRXGET=2,0,1500", /^\+CIPRXGET: 2,0,(\d+),\d+$/);
  }

  async send(piece) {
    const final = await this.offer(`AT+CIPSEND=0,${piece.length}`, ">", piece);
    const counts = /^\+CIPSEND: 0,(\d+),(\d+)$/.exec(await this.at.line(ANSWER_MS, "AT+CIPSEND"));
    if (final !== "OK" || counts === null || Number(counts[1]) !== piece.length) throw new Error(`sent: ${final}`);
    return Number(counts[2]);
  }

  async unacknowledged() {
    const [counts] = await this.at.command("AT+CIPACK=0");
    const [sent, acknowledged] = counts.split(":")[1].split(",").map(Number);
    return sent - acknowledged;
  }

  disconnect() {
    return this.outcome("AT+CIPCLOSE=0", "+CIPCLOSE: 0,0");
  }

  shutDown() {
    return this.outcome("AT+NETCLOSE", "+NETCLOSE: 0");
  }
}

class QiOpen extends Client {
  static urc = /^\+QIURC: "recv",0$/;
  static closed = /^\+QIURC: "closed",0$/;

  async bringUp() {
    await this.registered("AT+CEREG?");
    await this.at.command('AT+QICSGP=1,1,"internet","","",1');
    await this.at.command("AT+QIACT=1", LONG_MS);
  }

  connect() {
    return this.outcome(`AT+QIOPEN=1,0,"TCP","${host}",${tcpPort},0,0`, "+QIOPEN: 0,0");
  }

  read() {
    return this.counted("AT+QIRD=0,1500", /^\+QIRD: (\d+)$/);
  }

  async send(piece) {
    const said = await this.offer(`AT+QISEND=0,${piece.length}`, "> ", piece);
    if (said !== "SEND OK" && said !== "SEND FAIL") throw new Error(`sent: ${said}`);
    return said === "SEND OK" ? piece.length : 0;
  }

  async unacknowledged() {
    const [counts] = await this.at.command("AT+QISEND=0,0");
    return Number(counts.split(",")[2]);
  }

  disconnect() {
    return this.at.command("AT+QICLOSE=0", LONG_MS);
  }

  async reconnect() {
    await this.disconnect(); // a link that the far side closed is taken until then
    await this.connect();
  }

  shutDown() {
    return this.at.command("AT+QIDEACT=1", LONG_MS);
  }
}

class M95 extends Client {
  static urc = /^\+QIRDI: 0,1,0$/;
  static closed = /^CLOSED$/;

  async bringUp() {
    await this.registered("AT+CGREG?");
    for (const text of ["AT+QIFGCNT=0", 'AT+QICSGP=1,"internet"', "AT+QIMUX=0", "AT+QIMODE=0", "AT+QINDI=1"])
      await this.at.command(text);
    await this.at.command("AT+QISDE=0"); // no echo of what is sent
    for (const text of ["AT+QIDNSIP=0", "AT+QIREGAPP", "AT+QIACT"]) await this.at.command(text, LONG_MS);
    this.at.write("AT+QILOCIP\r");
    const address = await this.at.line(ANSWER_MS, "AT+QILOCIP"); // without a final result
    if (!/^\d+\.\d+\.\d+\.\d+$/.test(address)) throw new Error(`address: ${address}`);
  }

  connect() {
    return this.outcome(`AT+QIOPEN="TCP","${host}",${tcpPort}`, "CONNECT OK");
  }

  read() {
    return this.counted("AT+QIRD=0,1,0,1500", /^\+QIRD: [\d.:]+,TCP,(\d+)$/);
  }

  async send(piece) {
    const said = await this.offer(`AT+QISEND=${piece.length}`, "> ", piece);
    if (said !== "SEND OK" && said !== "SEND FAIL") throw new Error(`sent: ${said}`);
    return said === "SEND OK" ? piece.length : 0;
  }

  async unacknowledged() {
    const [counts] = await this.at.command("AT+QISACK");
    return Number(counts.split(",")[2]);
  }

  disconnect() {
    return this.at.command("AT+QICLOSE", LONG_MS, ["CLOSE OK"]);
  }

  shutDown() {
    return this.at.command("AT+QIDEACT", LONG_MS, ["DEACT OK"]);
  }
}

const FAMILIES = { sim800: Sim800, caopen: CaOpen, netopen: NetOpen, qiopen: QiOpen, m95: M95 };
const Family = FAMILIES[family];

function isUnsolicited(line) {
  if (Family.closed.test(line)) closed = true;
  return Family.closed.test(line) || Family.urc.test(line);
}

const at = await AtPort.open(path, isUnsolicited);
const client = new Family(at);
for (const text of ["AT", "ATE0", "AT+CMEE=0", "AT+CPIN?"]) await at.command(text);
await client.bringUp();
await client.connect();
const content = await client.receiveAll();
closed = false;
await (client.reconnect ?? client.connect).call(client);
await client.sendAll(content);
await client.disconnect();
await client.shutDown();
console.log(JSON.stringify({ bytes: content.length }));
at.close();

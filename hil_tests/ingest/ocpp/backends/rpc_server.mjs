// A central system on ocpp-rpc, whose own schemas check each message in both directions. Each line of standard input is a JSON
// order, and each line of output its result. The arguments are the port and the key of all charge points.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const { RPCServer } = createRequire(new URL("../clients/", import.meta.url))("ocpp-rpc");
const [port, key] = process.argv.slice(2);
const HEARTBEAT_S = 10;
let transactions = 0;
const now = () => new Date().toISOString();
const ANSWERS = {
  BootNotification: () => ({ status: "Accepted", interval: HEARTBEAT_S, currentTime: now() }),
  Heartbeat: () => ({ currentTime: now() }),
  MeterValues: () => ({}),
  StatusNotification: () => ({}),
  StartTransaction: () => ({ transactionId: ++transactions, idTagInfo: { status: "Accepted" } }),
  StopTransaction: () => ({ idTagInfo: { status: "Accepted" } }),
};
const told = [];
const clients = new Map();

const server = new RPCServer({ protocols: ["ocpp1.6"], strictMode: true, respondWithDetailedErrors: true });
server.auth((accept, reject, handshake) =>
  handshake.password?.toString() === key ? accept({}) : reject(401, "wrong key"));
server.on("client", (client) => {
  clients.set(client.identity, client);
  told.push({ what: "connected" });
  client.on("close", () => told.push({ what: "closed" }));
  client.on("strictValidationFailure", (event) => told.push({ what: "complaint", why: String(event.error) }));
  client.on("badMessage", (event) => told.push({ what: "complaint", why: String(event.error) }));
  client.handle(({ method, params }) => {
    told.push({ what: method, ...params });
    return ANSWERS[method]();
  });
});
await server.listen(Number(port), "127.0.0.1");
console.log(JSON.stringify({ is: "ready" }));

const ORDERS = {
  call: (identity, action, params) => clients.get(identity).call(action, params),
  told: () => told,
  drop: (identity) => clients.get(identity).close({ force: true }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [order, ...given] = JSON.parse(line);
  let came;
  try {
    came = { is: (await ORDERS[order](...given)) ?? null };
  } catch (error) {
    came = { failed: `${error.name}: ${error.message} ${JSON.stringify(error.details ?? {})}` };
  }
  console.log(JSON.stringify(came));
}

// A charge point on ocpp-rpc, whose own schemas check each call that it sends and each answer. Each line of standard input is
// a JSON order, and each line of output its result.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const { RPCClient } = createRequire(import.meta.url)("ocpp-rpc");
const [endpoint, identity, password, protocol] = process.argv.slice(2);
const ANSWERS = {
  ChangeConfiguration: { status: "Accepted" },
  ClearChargingProfile: { status: "Unknown" },
  RemoteStartTransaction: { status: "Accepted" },
  RemoteStopTransaction: { status: "Accepted" },
  RequestStartTransaction: { status: "Accepted" },
  RequestStopTransaction: { status: "Accepted" },
  Reset: { status: "Accepted" },
  SetChargingProfile: { status: "Accepted" },
  TriggerMessage: { status: "NotImplemented" },
  UnlockConnector: { status: "Unlocked" },
};
const asked = new Set();
let client = null;
let onAsked = () => {};

function make() {
  const made = new RPCClient({ endpoint, identity, password, protocols: [protocol], strictMode: true, reconnect: false });
  made.handle(({ method }) => {
    asked.add(method);
    onAsked();
    return ANSWERS[method];
  });
  return made;
}

const ORDERS = {
  async connect() {
    client = make();
    await client.connect();
    return client.protocol;
  },
  call: (action, params) => client.call(action, params),
  async lose() {
    client._ws.terminate();
  },
  // Waits until the bridge has called this action.
  async asked(action) {
    while (!asked.delete(action)) await new Promise((resolve) => (onAsked = resolve));
    return true;
  },
  close: () => client.close(),
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

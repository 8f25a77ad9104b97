// A scenario for em-ocpp-chargepoint-simulator: a charge, a fault, and a session stored while there was no connection. The
// simulator runs it and passes `connect`.
const now = () => new Date().toISOString();
const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const tell = (cp, status, errorCode = "NoError") =>
  cp.sendStatusNotification({ connectorId: 1, errorCode, status, timestamp: now() });
const stop = (cp, begun, meterStop, timestamp) =>
  cp.stopTransaction({ transactionId: begun.transactionId, meterStop, timestamp, reason: "Local" });

let cp = await connect(process.env.CHARGER_URL);
const named = { chargePointVendor: "em", chargePointModel: "simulator", firmwareVersion: "0.0.4" };
await cp.sendBootnotification(named);
await cp.sendHeartbeat();
await tell(cp, "Preparing");
await cp.sendAuthorize({ idTag: "ccc" });
const begun = await cp.startTransaction({ connectorId: 1, idTag: "ccc", meterStart: 1000, timestamp: now() });
await tell(cp, "Charging");
const sampledValue = [{ value: "7200", measurand: "Power.Active.Import", unit: "W" }, { value: "1500" }];
await cp.meterValues({
  connectorId: 1,
  transactionId: begun.transactionId,
  meterValue: [{ timestamp: now(), sampledValue }],
});
await stop(cp, begun, 2000, now());
await tell(cp, "Faulted", "GroundFailure");
await tell(cp, "Available");
cp.close();
cp = await connect(process.env.CHARGER_URL);
await cp.sendBootnotification(named);
const old = await cp.startTransaction({ connectorId: 1, idTag: "ccc", meterStart: 2000, timestamp: ago(180) });
await stop(cp, old, 5000, ago(60));
await tell(cp, "Available");
cp.answerReset(async (request) => {
  cp.sendResponse(request.uniqueId, { status: "Accepted" });
  console.log("PHASE reset");
  setTimeout(() => process.exit(0), 500);
});
console.log("PHASE ready");
await cp.sleep(120_000);

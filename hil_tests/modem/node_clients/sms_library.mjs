// npm's serialport-gsm, made to send messages: opens, initialises and questions the modem at a port. One JSON line out.
import gsm from "serialport-gsm";

const [, , port] = process.argv;
const modem = gsm.Modem();
await modem.open(port, { baudRate: 115200, incomingSMSIndication: false, incomingCallIndication: false });
const initialised = await modem.initializeModem();
const mode = await modem.setModemMode("PDU");
const serial = await modem.getModemSerial();
const signal = await modem.getNetworkSignal();
const memory = await modem.checkSimMemory();
console.log(
  JSON.stringify({
    initialised: initialised.status,
    mode: mode.data,
    imei: serial.data.modemSerial,
    csq: Number(signal.data.signalQuality),
    messages: memory.data.used,
    free: memory.data.total,
  }),
);
await modem.close();

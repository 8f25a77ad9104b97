// Draws what the rig says. Nothing here asks the rig for anything.

const byId = (id) => document.getElementById(id);
const say = (id, text) => { byId(id).textContent = text; };
const PASS_ABOVE_CSQ = 14; // the installer's verdict (modem/signal.py)
export const SILENT_MINUTES = 31; // one more than until the dashboard says so
const METER_FULL_A = 40;
const WAVE_CYCLES = 3;

const PILOT_SAYS = {
  A1: "No car. Steady 12 V.",
  A2: "No car, but PWM on the wire.",
  B1: "Car connected. The unit is not ready.",
  B2: "Car connected. Current is offered.",
  C1: "Car asks for energy. The unit is not ready.",
  C2: "Car asks for energy, and may have it.",
  D1: "Car needs ventilation. The unit is not ready.",
  D2: "Car needs ventilation, and is offered current.",
  E: "No voltage: the unit is off, or the wire is shorted.",
  F: "Steady −12 V: the unit is not available.",
};
const LETTERS = { A: "no car", B: "car connected", C: "car asks for energy", D: "car asks for energy and ventilation" };
const DIGITS = { 1: "the unit offers none: steady level", 2: "the unit offers current: the pulses say how much" };
const MODES = { smart: "Smart", link_lost: "Link lost", standalone: "Standalone" };

const served = { by: null, before: null }; // networks, since this page was opened

// The eye sees a tenth of the light as a third of the brightness.
export function showLed({ r, g, b }) {
  const most = Math.max(r, g, b);
  const full = most || 1;
  const style = document.documentElement.style;
  style.setProperty("--led", `rgb(${(255 * r) / full} ${(255 * g) / full} ${(255 * b) / full})`);
  style.setProperty("--glow", String((most / 255) ** 0.45));
}

export function showRig(rig) {
  showScene(rig);
  showHeadline(rig);
  showMeters(rig);
  showControls(rig);
  showStatus(rig.unit);
  showNetworks(rig);
  showCloud(rig);
  showStory(rig);
}

export function showRefusal(text) {
  byId("refusal").hidden = !text;
  say("refusal", text);
}

function showScene(rig) {
  const scene = byId("scene").parentElement.classList;
  scene.toggle("plugged", rig.vehicle.plugged);
  scene.toggle("flowing", rig.power_w > 0);
  scene.toggle("dark", !rig.mains);
  scene.toggle("no-network", !rig.network.up);
  const strength = rig.network.up ? Math.ceil((3 * rig.network.csq) / 25) : 0;
  for (const wave of document.querySelectorAll("[data-wave]")) {
    wave.classList.toggle("on", Number(wave.dataset.wave) <= strength);
  }
  say("unit-text", rig.running ? rig.pilot : "");
  say("unit-amps", rig.running && rig.amps ? `${rig.amps.toFixed(0)} A` : "");
  byId("battery-level").setAttribute("width", String(0.61 * rig.vehicle.battery_percent));
  say("battery-text", `${rig.vehicle.battery_percent.toFixed(0)} %`);
  say("countdown", rig.mains_back_in_s === null ? "" : `back in ${Math.ceil(rig.mains_back_in_s)} s`);
  say("unit-id", rig.unit.id ?? "");
}

function showHeadline(rig) {
  const says = rig.unit.faults && rig.unit.faults !== "-" ? rig.unit.faults.split(",") : [];
  say("headline", headline(rig, says));
  const mode = MODES[rig.mode];
  const link = rig.unit.link ? `link ${rig.unit.link}` : "";
  const died = rig.died ? `${rig.died}.` : "";
  say("subline", [died, mode, link].filter(Boolean).join(" · "));
}

function headline(rig, faults) {
  if (!rig.mains) return "The mains are off";
  if (rig.died) return "The firmware does not run";
  if (!rig.running) return "The unit is off";
  if (faults.length) return `Fault: ${faults.join(", ").replaceAll("_", " ")}`;
  if (rig.power_w > 0) return `Charging at ${(rig.power_w / 1000).toFixed(1)} kW`;
  if (rig.contactor) return "Ready to deliver";
  if (rig.vehicle.plugged) return rig.vehicle.s2_closed ? "The car asks for energy" : "The car is connected";
  return "Ready. Plug in the car.";
}

function showMeters(rig) {
  say("pilot", rig.pilot);
  const { high, low } = rig.pilot_mv;
  const volts = (mv) => `${(mv / 1000).toFixed(1).replace("-", "−")} V`;
  say("pilot-mv", high === low ? volts(high) : `${volts(high)} / ${volts(low)}`);
  say("pilot-note", PILOT_SAYS[rig.pilot] ?? "Between two states.");
  const [letter, digit] = rig.pilot;
  const meant = DIGITS[digit] && LETTERS[letter];
  say("pilot-letters", meant ? `${letter}: ${meant}. ${digit}: ${DIGITS[digit]}.` : "");
  byId("wave-line").setAttribute("d", wave(high, low, rig.duty_percent));
  say("contactor", rig.contactor ? "Closed" : "Open");
  byId("contact").classList.toggle("closed", rig.contactor);
  say("contactor-note", rig.contactor ? "The car's socket is live." : "The car's socket is dead.");
  say("amps", rig.amps.toFixed(rig.amps % 1 > 0.05 && rig.amps % 1 < 0.95 ? 1 : 0));
  const percent = (amps) => `${Math.min(100, (100 * amps) / METER_FULL_A)}%`;
  byId("amps-drawn").style.width = percent(rig.vehicle.current_a);
  byId("amps-offered").style.left = percent(rig.amps);
  say("current-note", `${rig.vehicle.current_a.toFixed(1)} A drawn, ${(rig.power_w / 1000).toFixed(2)} kW`);
  showSignal(rig);
}

function wave(high, low, dutyPercent) {
  const y = (mv) => 36 - (mv / 12000) * 30;
  if (high === low) return `M0 ${y(high)}H240`;
  const cycle = 240 / WAVE_CYCLES;
  let path = `M0 ${y(low)}`;
  for (let start = 0; start < 240; start += cycle) {
    path += `V${y(high)}H${start + (cycle * dutyPercent) / 100}V${y(low)}H${start + cycle}`;
  }
  return path;
}

function showSignal(rig) {
  const known = rig.csq <= 31;
  say("csq", known ? String(rig.csq) : "–");
  say("dbm", known ? `CSQ, ${-113 + 2 * rig.csq} dBm`.replace("-", "−") : "no reading");
  const bars = byId("bars");
  bars.classList.toggle("pass", rig.csq > PASS_ABOVE_CSQ);
  bars.classList.toggle("fail", rig.csq <= PASS_ABOVE_CSQ);
  const lit = known ? Math.max(1, Math.ceil((rig.csq * 6) / 25)) : 0;
  [...bars.children].forEach((bar, place) => bar.classList.toggle("on", place < lit));
  if (rig.operator_name && rig.operator_name !== served.by) {
    served.before = served.by;
    served.by = rig.operator_name;
  }
  const moved = served.before ? ` Moved there from ${served.before}.` : "";
  const name = rig.operator ? `${rig.operator_name}, ${rig.operator}.${moved}` : "Not registered. Looking for a network.";
  const without = rig.running ? "No network here." : "The unit is off, and so is its modem.";
  say("network-note", rig.running && rig.network.up ? name : without);
}

function showControls(rig) {
  const toggle = (id, text, stop) => {
    say(id, text);
    byId(id).classList.toggle("stop", stop);
  };
  toggle("plug", rig.vehicle.plugged ? "Unplug" : "Plug in", rig.vehicle.plugged);
  toggle("network-switch", rig.network.up ? "Cut the network" : "Restore the network", rig.network.up);
  const left = rig.mains_back_in_s;
  toggle("mains-cut", left === null ? "Off for 30 s" : `Back in ${Math.ceil(left)} s`, true);
  byId("mains-cut").disabled = left !== null;
  say("mains-switch", rig.mains ? "Switch off" : "Switch on");
  byId("tamper").setAttribute("aria-pressed", String(rig.tamper));
  say("tamper", rig.tamper ? "Shut cover" : "Open cover");
  for (const button of document.querySelectorAll("[data-fault]")) {
    button.setAttribute("aria-pressed", String(rig.faults.includes(button.dataset.fault)));
  }
}

function showNetworks(rig) {
  for (const row of byId("networks").children) {
    const network = rig.networks.find((one) => one.plmn === row.dataset.plmn);
    const serves = rig.operator === network.plmn && rig.network.up;
    row.classList.toggle("serves", serves);
    row.classList.toggle("off", !network.up);
    row.querySelector("button").setAttribute("aria-pressed", String(network.up));
    const slider = row.querySelector("input");
    if (document.activeElement !== slider) slider.value = String(network.csq);
    const state = network.up ? `CSQ ${slider.value}` : "mast off";
    row.querySelector("output").textContent = serves ? `${state}, in use` : state;
  }
}

function showCloud(rig) {
  const { cloud } = rig;
  byId("skip").hidden = byId("skip-note").hidden = byId("dashboard").hidden = !cloud;
  byId("phone").hidden = !cloud?.operator_code;
  if (!cloud) return;
  for (const link of [byId("dashboard"), ...document.querySelectorAll("[data-dashboard]")]) {
    link.href = cloud.address;
    link.target = "_blank";
  }
  const reachable = rig.network.up && rig.mains;
  byId("skip").disabled = reachable || cloud.state !== "running";
  const skipped = cloud.skipped_minutes ? ` ${cloud.skipped_minutes} minutes skipped so far.` : "";
  say("skip-note", (reachable
    ? "Lets 31 minutes pass for the cloud, once the unit cannot reach it: cut the network first."
    : "Lets 31 minutes pass for the cloud, in this demo alone.") + skipped);
  const trouble = {
    running: "",
    starting: "The cloud side starts. The unit goes on without it.",
    stopped: `The cloud side does not run: ${cloud.trouble}. The unit goes on without it. End the run with Ctrl-C, and start it again.`,
  }[cloud.state];
  byId("cloud-trouble").hidden = !trouble;
  if (byId("cloud-trouble").textContent !== trouble) say("cloud-trouble", trouble);
  if (cloud.operator_code) {
    say("phone-code", cloud.operator_code.code.replace(/^.../, "$& "));
    say("phone-for", `for ${cloud.operator_code.for_s} s`);
  }
}

function showStory(rig) {
  byId("story").hidden = rig.story === null;
  for (const item of document.querySelectorAll("[data-step]")) {
    const step = Number(item.dataset.step);
    item.classList.toggle("past", step < rig.story);
    item.classList.toggle("now", step === rig.story);
    if (step === rig.story) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  }
  const left = rig.mains_back_in_s;
  say("story-wait", left === null
    ? "The modem starts and registers: about 20 s."
    : `The mains are back in ${Math.ceil(left)} s; then the modem starts and registers: about 20 s.`);
}

function showStatus(status) {
  const list = byId("status");
  const entries = Object.entries(status);
  byId("status-none").hidden = entries.length > 0;
  list.replaceChildren(
    ...entries.map(([name, value]) => {
      const row = document.createElement("div");
      const term = document.createElement("dt");
      const told = document.createElement("dd");
      term.textContent = name.replaceAll("_", " ");
      told.textContent = value;
      row.append(term, told);
      return row;
    }),
  );
}

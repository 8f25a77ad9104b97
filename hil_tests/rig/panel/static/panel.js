// The panel's wiring: what the rig streams goes to view.js, what a person presses goes to the rig.

import { showLed, showRefusal, showRig, SILENT_MINUTES } from "./view.js";

const byId = (id) => document.getElementById(id);
let last = null;

// Nothing can be pressed before there is something to see: a press would be lost.
function allowPressing(allowed) {
  for (const control of document.querySelectorAll("button, input")) control.disabled = !allowed;
}

function listen() {
  const stream = new EventSource("/api/rig/stream");
  stream.addEventListener("led", (event) => showLed(JSON.parse(event.data)));
  stream.addEventListener("rig", (event) => {
    const isFirst = !last;
    last = JSON.parse(event.data);
    if (isFirst) {
      offerNetworks(last.networks);
      allowPressing(true);
    }
    showRig(last);
  });
  stream.onopen = () => { byId("gone").hidden = true; };
  stream.onerror = () => { byId("gone").hidden = false; };
}

async function order(what, details = {}) {
  try {
    const answer = await fetch(`/api/rig/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(details),
    });
    showRefusal(answer.ok ? "" : String((await answer.json()).detail));
  } catch {
    byId("gone").hidden = false;
  }
}

const STORY = {
  "plug-in": () => order("plug"),
  "network-lost": () => order("network", { up: false }),
  silence: () => order("skip", { minutes: SILENT_MINUTES }),
  "off-and-on": async () => {
    await order("network", { up: true });
    await order("mains", { off_s: 30 });
  },
};
for (const button of document.querySelectorAll("[data-do]")) {
  button.addEventListener("click", async () => {
    button.disabled = true; // one press, one skip
    await STORY[button.dataset.do]();
    button.disabled = false;
  });
}

function onPress(id, act) {
  byId(id).addEventListener("click", () => act(last));
}

onPress("plug", (rig) => order(rig.vehicle.plugged ? "unplug" : "plug"));
onPress("lose-access", () => order("lose-access"));
onPress("network-switch", (rig) => order("network", { up: !rig.network.up }));
onPress("mains-cut", () => order("mains", { off_s: 30 }));
onPress("mains-switch", (rig) => order("mains", { on: !rig.mains }));
onPress("button", () => order("button"));
onPress("tamper", (rig) => order("tamper", { open: !rig.tamper }));
onPress("skip", () => order("skip", { minutes: SILENT_MINUTES }));
onPress("story-restart", () => order("story/restart"));

// One row for each network: its mast, and its signal.
function offerNetworks(networks) {
  for (const network of networks) {
    const row = byId("network-row").content.cloneNode(true).firstElementChild;
    row.dataset.plmn = network.plmn;
    const [mast, slider] = [row.querySelector("button"), row.querySelector("input")];
    mast.textContent = network.name;
    slider.setAttribute("aria-label", `Signal of ${network.name}, CSQ`);
    mast.addEventListener("click", () => {
      order("network", { plmn: network.plmn, up: mast.getAttribute("aria-pressed") !== "true" });
    });
    slider.addEventListener("input", () => { row.querySelector("output").textContent = `CSQ ${slider.value}`; });
    slider.addEventListener("change", () => order("network", { plmn: network.plmn, csq: Number(slider.value) }));
    byId("networks").append(row);
  }
}

async function offerFaults() {
  const [passing, lasting, harmless] = await (await fetch("/api/rig/faults?grouped=true")).json();
  const groups = [
    ["Pass with their cause", passing],
    ["Stay until somebody has looked and pressed the button", lasting],
    ["No fault of the charge point, so never red", harmless],
  ];
  for (const [title, names] of groups) {
    const group = document.createElement("div");
    const heading = document.createElement("p");
    heading.textContent = title;
    group.append(heading);
    for (const name of names) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name.replaceAll("_", " ");
      button.dataset.fault = name;
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => {
        order("fault", { name, on: button.getAttribute("aria-pressed") !== "true" });
      });
      group.append(button);
    }
    byId("faults").append(group);
  }
}

allowPressing(false);
offerFaults().then(listen);

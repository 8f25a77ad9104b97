// Holds the live stream for all open pages. It lives as long as any of them.
import { Stream } from "./stream.js";

const stream = new Stream(new URL("../../live", import.meta.url).href);

addEventListener("connect", ({ ports: [port] }) => {
  port.onmessage = ({ data: { join, shows, leave, again } }) => {
    if (join) stream.join(port, join.unit, join.shown, (message) => port.postMessage(message));
    if (shows !== undefined) stream.shows(port, shows);
    if (again) stream.again();
    if (leave) stream.leave(port);
  };
});

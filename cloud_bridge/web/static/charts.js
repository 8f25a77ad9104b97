// Draws the tables of a page as charts, with uPlot. A table is its chart's data and its twin: without script, or by ear,
// it says the same. Drag across a chart to look closer, double-click to see all of it again.
const HEIGHT = 200;
const FONT = "12px system-ui, sans-serif";
const PASS_ABOVE_CSQ = 14; // the installer's verdict (modem/signal.py)
const MAX_CSQ = 31;
const DAY_S = 86400;
const BREAK_S = 45 * 60; // without a reading for as long, the line ends
const COLUMN = { size: [0.7, 48], align: 1 }; // of its slot, at most so many pixels, beginning where the slot begins

const style = getComputedStyle(document.documentElement);
const ink = (name) => () => style.getPropertyValue(name); // asked at each drawing: light and dark change while it is open
const drawn = [];

for (const figure of document.querySelectorAll("[data-chart]")) {
  const rows = [...figure.querySelectorAll("tbody tr")];
  const kind = figure.dataset.chart === "signal" ? signal(figure, rows.reverse()) : bars(figure, rows);
  const place = figure.querySelector(".plot");
  const plot = new uPlot({
    width: place.clientWidth,
    height: HEIGHT,
    padding: [12, 12, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false } },
    plugins: [tip(rows, kind.rowOf)],
    ...kind.options,
  }, kind.data, place);
  new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
  for (const keys of figure.querySelectorAll(".keys")) keys.hidden = false;
  drawn.push(plot);
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach((plot) => plot.redraw()));

function numbers(row) {
  return [...row.querySelectorAll("data")].map((cell) => (cell.value === "" ? null : Number(cell.value)));
}

function axis(more) {
  const line = { stroke: ink("--line"), width: 1 };
  return { stroke: ink("--soft"), font: FONT, grid: line, ticks: { show: false }, ...more };
}

// The mean as a line in the band from lowest to highest; its table has the newest on top. It breaks where there was no
// reading.
function signal(figure, rows) {
  const { from, to, visited, silences } = figure.dataset;
  const zone = known(figure.dataset.zone);
  const points = rows.map(numbers).map(([atMs, ...csq]) => [atMs / 1000, ...csq]);
  const stepS = Math.min(...points.slice(1).map(([at], index) => at - points[index][0]));
  const all = [[from / 1000, null, null, null]];
  for (const point of points) {
    const before = all.at(-1)[0];
    if (point[0] - before > Math.max(BREAK_S, 1.5 * stepS)) all.push([before + 1, null, null, null]);
    all.push(point);
  }
  all.push([Math.max(to / 1000, all.at(-1)[0] + 1), null, null, null]);
  const data = [0, 3, 2, 1].map((column) => all.map((point) => point[column])); // time, highest, mean, lowest
  const edge = { stroke: "transparent", points: { show: false } };
  const mean = { stroke: ink("--brand"), width: 2, points: { size: 5 } };
  const bands = [{ series: [1, 3], fill: ink("--tint") }];
  const marks = {
    drawClear: (plot) => shade(plot, JSON.parse(silences)),
    draw: (plot) => {
      dash(plot, "--note", [plot.bbox.left, plot.valToPos(PASS_ABOVE_CSQ, "y", true)], [plot.bbox.width, 0]);
      if (visited) dash(plot, "--blue", [plot.valToPos(visited / 1000, "x", true), plot.bbox.top], [0, plot.bbox.height]);
    },
  };
  return {
    data,
    rowOf: (index) => points.findIndex(([at]) => at === data[0][index]),
    options: {
      bands,
      series: [{}, edge, mean, edge],
      scales: { x: { time: true }, y: { range: [0, MAX_CSQ] } },
      axes: [axis({ space: 60, size: 28, values: times(zone) }), axis({ splits: () => [0, 7, PASS_ABOVE_CSQ, 21, 28], size: 34 })],
      tzDate: (atS) => uPlot.tzDate(new Date(atS * 1000), zone),
      hooks: { drawClear: [marks.drawClear], draw: [marks.draw] },
    },
  };
}

function bars(figure, rows) {
  const { most } = figure.dataset;
  const values = rows.map((row) => numbers(row)[0]);
  const names = rows.map((row) => row.querySelector("th").dataset.tick);
  return {
    data: [[...values.keys(), values.length], [...values, null]],
    rowOf: (index) => index,
    options: {
      series: [{}, { fill: ink("--brand"), paths: uPlot.paths.bars(COLUMN), points: { show: false } }],
      scales: { x: { time: false }, y: { range: (_plot, _least, top) => [0, Number(most) || Math.max(1, top * 1.1)] } },
      axes: [
        axis({
          space: 28,
          size: 28,
          grid: { show: false },
          incrs: [1, 2, 3, 5, 6, 10],
          values: (_plot, splits) => splits.map((index) => names[index] ?? ""),
          align: 1,
        }),
        axis({ size: 40 }),
      ],
    },
  };
}

// Days by their names, hours by the clock of the site.
// A browser may know fewer time zones than the server.
function known(timeZone) {
  try {
    new Intl.DateTimeFormat("en-GB", { timeZone });
    return timeZone;
  } catch {
    return "UTC";
  }
}

function times(timeZone) {
  const say = (options) => (atS) => new Intl.DateTimeFormat("en-GB", { timeZone, ...options }).format(atS * 1000);
  const [day, date, hour] = [
    say({ weekday: "short" }), say({ day: "numeric", month: "short" }), say({ hour: "2-digit", minute: "2-digit" }),
  ];
  return (plot, splits, _axis, _space, step) => {
    if (step < DAY_S) return splits.map((at) => (hour(at) === "00:00" ? day(at) : hour(at)));
    return splits.map(plot.scales.x.max - plot.scales.x.min > 8 * DAY_S ? date : day);
  };
}

function shade({ ctx, bbox, valToPos }, silences) {
  ctx.save();
  ctx.fillStyle = ink("--red")();
  ctx.globalAlpha = 0.25;
  for (const [fromMs, toMs] of silences) {
    const [left, right] = [fromMs, toMs].map((atMs) => valToPos(atMs / 1000, "x", true));
    const begin = Math.max(left, bbox.left);
    const end = Math.min(Math.max(right, left + 2), bbox.left + bbox.width);
    if (end > begin) ctx.fillRect(begin, bbox.top, end - begin, bbox.height);
  }
  ctx.restore();
}

function dash({ ctx, bbox }, colour, [x, y], [width, height]) {
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  ctx.save();
  ctx.strokeStyle = ink(colour)();
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x + width, y + height);
  ctx.stroke();
  ctx.restore();
}

// What the row below the pointer says, beside the pointer.
function tip(rows, rowOf) {
  const box = document.createElement("div");
  box.className = "tip";
  box.hidden = true;
  const show = (plot) => {
    const row = plot.cursor.idx == null ? null : rows[rowOf(plot.cursor.idx)];
    box.hidden = !row;
    if (!row) return;
    const heads = [...row.closest("table").querySelectorAll("thead th")].map((head) => head.textContent);
    box.textContent = [...row.cells].map((cell, at) => (at ? `${heads[at]} ${cell.textContent}` : cell.textContent)).join("\n");
    const right = plot.cursor.left > plot.over.clientWidth / 2;
    box.style.left = right ? "" : `${plot.cursor.left + 12}px`;
    box.style.right = right ? `${plot.over.clientWidth - plot.cursor.left + 12}px` : "";
  };
  return { hooks: { init: (plot) => plot.over.append(box), setCursor: show } };
}

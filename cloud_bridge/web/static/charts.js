// Draws the tables of a page as charts, with uPlot. Each table is the data of its chart, and also its text alternative:
// without JavaScript, or with a screen reader, it gives the same information. Drag across a chart to zoom in; double-click to
// zoom out.
const HEIGHT = 210;
const FONT = "12px system-ui, sans-serif";
const PASS_ABOVE_CSQ = 14; // the installer's verdict (modem/signal.py)
const MAX_CSQ = 31;
const LABEL_PX = 62; // the widest label: "01:00 GMT"
// Label intervals for a chart that is zoomed in so far that its own labels are too far apart.
const STEPS_S = [60, 300, 900, 3600, 10800, 21600];
const says = document.querySelector('script[src$="/charts.js"]').dataset; // our texts, in the reader's language
const COUNTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000]; // label intervals
const Y_SIZE = 34; // the same for all charts, so that their times are aligned

const LINE = { width: 2, cap: "round", points: { show: false } };

const style = getComputedStyle(document.documentElement);
const ink = (name) => () => style.getPropertyValue(name); // read at each drawing, because light and dark mode can change meanwhile
const drawn = [];

for (const figure of document.querySelectorAll("[data-chart]")) {
  const rows = [...figure.querySelectorAll("tbody tr")];
  const kind = { signal, power, bars }[figure.dataset.chart](figure, rows);
  const over = figure.dataset.axis ? time(JSON.parse(figure.dataset.axis)) : hours(figure, rows);
  const place = figure.querySelector(".plot");
  const plot = new uPlot({
    width: place.clientWidth,
    height: HEIGHT,
    padding: [12, 12, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false }, ...over.cursor },
    plugins: [tip(rows, kind.rowOf)],
    series: [{}, ...kind.series],
    bands: kind.bands,
    scales: { x: over.scale, y: kind.scale },
    axes: [over.axis, axis({ label: figure.dataset.unit, size: Y_SIZE, ...kind.axis })],
    hooks: kind.hooks,
  }, kind.data, place);
  new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
  for (const keys of figure.querySelectorAll(".keys")) keys.hidden = false;
  drawn.push(plot);
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach((plot) => plot.redraw()));

function numbers(row) {
  return [...row.querySelectorAll("data")].map((cell) => (cell.value === "" ? null : Number(cell.value)));
}

function span(row) {
  return [Number(row.dataset.from) / 1000, Number(row.dataset.to) / 1000];
}

function axis(more) {
  const line = { stroke: ink("--line"), width: 1 };
  const label = { labelSize: 18, labelGap: 0, labelFont: FONT };
  return { stroke: ink("--soft"), font: FONT, grid: line, ticks: { show: false }, ...label, ...more };
}

// The page's time axis: [from, to, zone, [[time, label], ...]]. All charts zoom together.
function time([fromMs, toMs, zone, ticks]) {
  const labels = new Map(ticks.map(([atMs, label]) => [atMs / 1000, label]));
  const clock = clockOf(zone);
  const splits = (plot, _axis, fromS, toS) => {
    const most = Math.max(2, Math.floor(plot.bbox.width / devicePixelRatio / LABEL_PX));
    const inside = [...labels.keys()].filter((at) => at >= fromS && at <= toS);
    if (inside.length > 1) {
      const every = Math.ceil(inside.length / most);
      return inside.filter((_, index) => index % every === 0);
    }
    const step = STEPS_S.find((stepS) => (toS - fromS) / stepS <= most) ?? STEPS_S.at(-1);
    const found = [];
    for (let at = Math.ceil(fromS / step) * step; at <= toS; at += step) found.push(at);
    return found;
  };
  return {
    scale: { time: true, auto: false, min: fromMs / 1000, max: toMs / 1000 },
    cursor: { sync: { key: "time", setSeries: false, scales: ["x", null] } },
    axis: axis({
      label: says.zone.replace("{zone}", zone.replaceAll("_", " ")),
      size: 28,
      splits,
      values: (_plot, at) => at.map((atS) => labels.get(atS) ?? clock(atS)),
    }),
  };
}

// Columns that are not over time, such as the hours of all days together.
function hours(figure, rows) {
  const names = rows.map((row) => row.querySelector("th").dataset.tick);
  return {
    scale: { time: false, auto: false, min: 0, max: rows.length },
    cursor: {},
    axis: axis({
      label: figure.dataset.over,
      space: 28,
      size: 28,
      grid: { show: false },
      incrs: [1, 2, 3, 6],
      values: (_plot, splits) => splits.map((index) => names[index] ?? ""),
    }),
  };
}

// One line for each number of the rows. The table has the newest row first. A line ends where the time of its row ends, unless
// the next row begins there.
function lines(rows) {
  rows.reverse();
  const all = []; // [row, time, numbers...]
  rows.forEach((row, index) => {
    const [fromS, toS] = span(row);
    const values = numbers(row);
    const add = (atS) => all.push([index, atS, ...values]);
    const begins = index === 0 || span(rows[index - 1])[1] < fromS;
    const ends = index === rows.length - 1 || toS < span(rows[index + 1])[0];
    if (begins) add(fromS);
    add((fromS + toS) / 2);
    if (!ends) return;
    add(toS);
    if (index < rows.length - 1) all.push([index, (toS + span(rows[index + 1])[0]) / 2, ...values.map(() => null)]);
  });
  return {
    columns: numbers(rows[0]).map((_, column) => all.map((point) => point[column + 2])),
    times: all.map((point) => point[1]),
    rowOf: (index) => all[index][0],
  };
}

// The mean as a line in the band from lowest to highest.
function signal(figure, rows) {
  const { visited, silences } = figure.dataset;
  const { times, columns: [lowest, mean, highest], rowOf } = lines(rows);
  const edge = { stroke: "transparent", points: { show: false } };
  return {
    data: [times, highest, mean, lowest],
    rowOf,
    series: [edge, { stroke: ink("--brand"), ...LINE }, edge],
    bands: [{ series: [1, 3], fill: ink("--tint") }],
    scale: { range: [0, MAX_CSQ] },
    axis: { splits: () => [0, 7, PASS_ABOVE_CSQ, 21, 28] },
    hooks: {
      drawClear: [(plot) => shade(plot, JSON.parse(silences))],
      draw: [
        (plot) => {
          dash(plot, "--note", [plot.bbox.left, plot.valToPos(PASS_ABOVE_CSQ, "y", true)], [plot.bbox.width, 0]);
          if (visited) {
            dash(plot, "--blue", [plot.valToPos(visited / 1000, "x", true), plot.bbox.top], [0, plot.bbox.height]);
          }
        },
      ],
    },
  };
}

function power(_figure, rows) {
  const { times, columns: [kilowatts], rowOf } = lines(rows);
  return {
    data: [times, kilowatts],
    rowOf,
    series: [{ stroke: ink("--brand"), fill: ink("--tint"), ...LINE }],
    scale: { range: (_plot, _least, top) => [0, Math.max(1, top * 1.1)] },
    axis: {},
    hooks: {},
  };
}

// Each bar is slightly narrower than the time that it represents.
function bars(figure, rows) {
  const { most } = figure.dataset;
  const values = rows.map((row) => numbers(row)[0]);
  const spans = rows.map((row, index) => (row.dataset.from ? span(row) : [index, index + 1]));
  return {
    data: [spans.map(([from, to]) => (from + to) / 2), values],
    rowOf: (index) => index,
    series: [{ paths: () => null, points: { show: false } }],
    scale: { range: (_plot, _least, top) => [0, Number(most) || Math.max(1, top * 1.1)] },
    axis: "counts" in figure.dataset ? { incrs: COUNTS } : {},
    hooks: { draw: [(plot) => columns(plot, spans, values)] },
  };
}

function columns(plot, spans, values) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = ink("--brand")();
  spans.forEach((ends, index) => {
    if (values[index] == null) return;
    const [left, right] = ends.map((at) => plot.valToPos(at, "x", true));
    const [top, bottom] = [values[index], 0].map((value) => plot.valToPos(value, "y", true));
    const between = Math.min(0.3 * (right - left), 4 * devicePixelRatio);
    ctx.fillRect(left + between / 2, top, right - left - between, bottom - top);
  });
  ctx.restore();
}

// Hours and minutes of local time at the site, with the zone where a time occurs twice.
function clockOf(timeZone) {
  const say = (options) => {
    try {
      return new Intl.DateTimeFormat(document.documentElement.lang, { timeZone, ...options });
    } catch {
      return new Intl.DateTimeFormat(document.documentElement.lang, { timeZone: "UTC", ...options }); // a zone that this browser does not know
    }
  };
  const [plain, zoned] = [{}, { timeZoneName: "short" }].map((more) => say({ hour: "2-digit", minute: "2-digit", ...more }));
  const at = (atS) => plain.format(atS * 1000);
  const twice = (atS) => [-3600, -1800, 1800, 3600].some((byS) => at(atS) === at(atS + byS));
  return (atS) => (twice(atS) ? zoned : plain).format(atS * 1000);
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

// Shows the text of the row below the pointer, beside the pointer.
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

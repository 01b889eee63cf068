// What is painted: weights, neurons and captions once; the lit path, active neurons and labels on every move.

const BATCH = 220; // lines per stroke: one path for all makes the rasteriser sort every crossing
const BANDS = [[0, 0.25, 0.010], [0.25, 0.5, 0.026], [0.5, 0.75, 0.07], [0.75, 1.01, 0.17]]; // from, to, opacity

function fit(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

function mix(from, to, share) {
  const part = (hex, i) => parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16);
  return `rgb(${[0, 1, 2].map((i) => Math.round(part(from, i) + (part(to, i) - part(from, i)) * share)).join(",")})`;
}

function drawWeights(pen, data, layers, at, colours) {
  pen.lineWidth = 0.6;
  pen.strokeStyle = colours.text;
  layers.forEach((weights, l) => {
    const inputs = data.sizes[l], outputs = data.sizes[l + 1];
    const x0 = at.columns[l].x, x1 = at.columns[l + 1].x;
    const crowd = Math.min(3.2, Math.max(1, Math.sqrt(16384 / (inputs * outputs))));
    for (const [low, high, alpha] of BANDS) {
      pen.globalAlpha = Math.min(0.42, alpha * crowd * colours.ink * Math.min(1, 0.55 + (x1 - x0) / 400));
      let drawn = 0;
      pen.beginPath();
      for (let o = 0; o < outputs; o++) {
        const y1 = at.y(l + 1, o);
        for (let i = 0; i < inputs; i++) {
          const size = Math.abs(weights[o * inputs + i]) / 127;
          if (size < low || size >= high) continue;
          pen.moveTo(x0, at.y(l, i));
          pen.lineTo(x1, y1);
          if (++drawn % BATCH === 0) { pen.stroke(); pen.beginPath(); }
        }
      }
      pen.stroke();
    }
  });
  pen.globalAlpha = 1;
}

function drawNeurons(pen, data, at, colours) {
  const values = data.neuron_values;
  const largest = values ? Math.max(1e-12, ...values.flatMap((v) => (v || []).map((n) => n || 0))) : 1;
  at.columns.forEach((column, l) => {
    const radius = Math.max(values && values[l] ? 2.3 : 1.3, Math.min(4, column.gap * 0.36 || 4));
    for (let u = 0; u < column.n; u++) {
      const value = values && values[l] ? values[l][u] : null;
      pen.fillStyle = value === null || value === undefined ? colours.neuron
        : mix(colours.low, colours.high, Math.min(1, Math.max(0, value) / largest));
      pen.beginPath();
      pen.arc(column.x, at.y(l, u), radius, 0, 7);
      pen.fill();
    }
  });
}

function drawCaptions(pen, data, at, colours, font) {
  const last = data.sizes.length - 1;
  pen.textAlign = "center";
  pen.textBaseline = "alphabetic";
  data.sizes.forEach((n, l) => {
    const name = data.captions ? data.captions[l] : l === 0 ? "inputs" : l === last ? "output" : `hidden ${l}`;
    const { x } = at.columns[l];
    pen.fillStyle = colours.text;
    pen.font = `600 ${at.narrow ? 11 : 12.5}px ${font}`;
    pen.fillText(at.narrow ? name.replace("hidden ", "h ") : name, x, 15);
    pen.fillStyle = colours.quiet;
    pen.font = `400 ${at.narrow ? 10.5 : 12}px ${font}`;
    pen.fillText(`${n}`, x, 29);
  });
}

function curve(pen, x0, y0, x1, y1) {
  const bend = (x1 - x0) * 0.42;
  pen.moveTo(x0, y0);
  pen.bezierCurveTo(x0 + bend, y0, x1 - bend, y1, x1, y1);
}

function edgeColour(edge, comparing, colours) {
  if (comparing) return edge.in[0] && edge.in[1] ? colours.shared : edge.in[0] ? colours.before : colours.after;
  return edge.contribution < 0 ? colours.negative : colours.positive;
}

function drawPath(pen, view, focus) {
  const { at, edges, comparing, colours } = view;
  const many = edges.length > 250;
  const hit = (e) => focus && (focus.kind === "edge" ? e.id === focus.id
    : (e.layer === focus.layer && e.source === focus.unit) || (e.layer + 1 === focus.layer && e.target === focus.unit));
  const some = focus && edges.some(hit);
  for (const e of edges) {
    const lit = some && hit(e);
    pen.globalAlpha = some && !lit ? 0.13 : lit ? 1 : many ? 0.05 + 0.85 * e.share ** 4 : 0.42 + 0.58 * e.share;
    pen.lineWidth = (many ? 0.6 + 2.4 * e.share ** 2 : 1.1 + 3.6 * e.share) + (lit ? 0.8 : 0);
    pen.strokeStyle = edgeColour(e, comparing, colours);
    pen.setLineDash(!comparing && e.contribution < 0 ? [6, 3.5] : []);
    pen.beginPath();
    curve(pen, at.columns[e.layer].x, at.y(e.layer, e.source), at.columns[e.layer + 1].x, at.y(e.layer + 1, e.target));
    pen.stroke();
  }
  pen.setLineDash([]);
  pen.globalAlpha = 1;
}

function drawActive(pen, view, focus) {
  const { at, active, colours, chosen } = view;
  active.forEach((units, layer) => units.forEach((_, unit) => {
    const radius = Math.max(3, Math.min(5.5, at.columns[layer].gap * 0.9 || 5.5));
    pen.beginPath();
    pen.arc(at.columns[layer].x, at.y(layer, unit), radius, 0, 7);
    pen.fillStyle = colours.text;
    pen.fill();
    pen.lineWidth = 1.4;
    pen.strokeStyle = colours.ground;
    pen.stroke();
  }));
  for (const [spot, width] of [[chosen, 2], [focus && focus.kind === "neuron" ? focus : null, 2.4]]) {
    if (!spot || spot.kind !== "neuron") continue;
    pen.beginPath();
    pen.arc(at.columns[spot.layer].x, at.y(spot.layer, spot.unit), 8.5, 0, 7);
    pen.lineWidth = width;
    pen.strokeStyle = colours.accent;
    pen.stroke();
  }
}

function drawStrongest(pen, view, focus) { // a neuron off the path shows what feeds it most
  const { at, data, layers, colours } = view;
  if (focus.layer === 0) return;
  const inputs = data.sizes[focus.layer - 1], weights = layers[focus.layer - 1];
  const row = [...Array(inputs).keys()].map((i) => [i, weights[focus.unit * inputs + i]]);
  row.sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  pen.strokeStyle = colours.text;
  for (const [i, w] of row.slice(0, 10)) {
    pen.globalAlpha = 0.15 + 0.5 * Math.abs(w) / 127;
    pen.lineWidth = 1;
    pen.beginPath();
    curve(pen, at.columns[focus.layer - 1].x, at.y(focus.layer - 1, i), at.columns[focus.layer].x, at.y(focus.layer, focus.unit));
    pen.stroke();
  }
  pen.globalAlpha = 1;
}

function shorten(pen, text, room) { // "occupation=Sales" keeps its value: "occ…=Sales"
  if (pen.measureText(text).width <= room) return text;
  const cut = text.indexOf("=");
  if (cut > 5) text = `${text.slice(0, 3)}…${text.slice(cut)}`;
  if (pen.measureText(text).width <= room) return text;
  let end = text.length;
  while (end > 1 && pen.measureText(text.slice(0, end) + "…").width > room) end--;
  return text.slice(0, end) + "…";
}

function drawLabels(pen, view, font) {
  const { at, data, active, colours } = view, last = data.sizes.length - 1;
  const size = at.narrow ? 11 : 12, step = size + 3;
  pen.font = `400 ${size}px ${font}`;
  pen.textBaseline = "middle";
  const sides = [[0, data.input_labels, -1, at.left - 16], [last, data.output_labels, 1, at.right - 16]];
  for (const [layer, labels, side, room] of sides) {
    if (!labels) continue;
    const most = Math.floor((at.bottom - at.top) / step);
    let units = [...active[layer].entries()].sort((a, b) => b[1] - a[1]).slice(0, most).map(([u]) => u);
    if (!units.length && data.sizes[layer] <= most) units = [...Array(data.sizes[layer]).keys()];
    units.sort((a, b) => a - b);
    const spots = placed(units.map((u) => at.y(layer, u)), at.top, at.bottom, step);
    const { x } = at.columns[layer];
    units.forEach((u, k) => {
      pen.strokeStyle = colours.quiet;
      pen.globalAlpha = 0.45;
      pen.lineWidth = 0.8;
      pen.beginPath();
      pen.moveTo(x + side * 6, at.y(layer, u));
      pen.lineTo(x + side * 13, spots[k]);
      pen.stroke();
      pen.globalAlpha = 1;
      pen.fillStyle = colours.text;
      pen.textAlign = side < 0 ? "right" : "left";
      pen.fillText(shorten(pen, labels[u] || "", room), x + side * 16, spots[k]);
    });
  }
}

// Where everything stands, what lies under the pointer, and where the arrow keys lead. No drawing here.
// The files network_geometry.js, network_draw.js and network_view.js are joined to one module, in this order.

const decode = (text) => Int8Array.from(atob(text), (c) => c.charCodeAt(0) << 24 >> 24);
function makeLayout(data, width, height) {
  const narrow = width < 620;
  const left = data.input_labels ? (narrow ? 104 : Math.min(215, width * 0.2)) : 24;
  const right = data.output_labels ? (narrow ? 58 : 110) : 24;
  const top = narrow ? 48 : 40, bottom = height - 14, last = data.sizes.length - 1;
  const columns = data.sizes.map((n, layer) => {
    const gap = n > 1 ? Math.min(n <= 16 ? 64 : 22, (bottom - top) / (n - 1)) : 0;
    const start = (top + bottom) / 2 - gap * (n - 1) / 2;
    return { x: left + (width - left - right) * layer / last, gap, start, n };
  });
  return { columns, narrow, left, right, top, bottom, width, height,
    y: (layer, unit) => columns[layer].start + columns[layer].gap * unit };
}

function curveY(share, y0, y1) { // close to the bezier above: good enough to hit it with a pointer
  const t = share, s = 1 - t;
  return s * s * (s + 3 * t) * y0 + t * t * (t + 3 * s) * y1;
}

function gatherEdges(data) {
  const paths = [data.path || [], data.second_path || []];
  const seen = new Map();
  paths.forEach((path, which) => path.forEach(([layer, source, target, contribution]) => {
    const id = `${layer}:${source}:${target}`;
    const edge = seen.get(id) || { layer, source, target, in: [false, false], contribution: 0, id };
    edge.in[which] = true;
    if (which === 0 || !edge.in[0]) edge.contribution = contribution;
    edge[which ? "second" : "first"] = contribution;
    seen.set(id, edge);
  }));
  const edges = [...seen.values()];
  const tops = data.sizes.map(() => 1e-12);
  for (const e of edges) tops[e.layer] = Math.max(tops[e.layer], Math.abs(e.contribution));
  for (const e of edges) e.share = Math.sqrt(Math.abs(e.contribution) / tops[e.layer]);
  return edges.sort((a, b) => a.share - b.share);
}

function activeNeurons(edges, sizes) {
  const active = sizes.map(() => new Map());
  const touch = (layer, unit, amount) => active[layer].set(unit, (active[layer].get(unit) || 0) + amount);
  for (const e of edges) {
    touch(e.layer, e.source, Math.abs(e.contribution));
    touch(e.layer + 1, e.target, Math.abs(e.contribution));
  }
  return active;
}

function placed(wanted, top, bottom, step) { // labels keep their order and do not overlap
  const spots = wanted.map((y) => y);
  for (let i = 0; i < spots.length; i++) spots[i] = Math.max(spots[i], i ? spots[i - 1] + step : top);
  for (let i = spots.length - 1; i >= 0; i--) spots[i] = Math.min(spots[i], i === spots.length - 1 ? bottom : spots[i + 1] - step);
  return spots;
}

function findAt(view, px, py) {
  const { at, active, edges, data } = view;
  const reach = at.narrow ? 16 : 11;
  let best = null;
  at.columns.forEach((column, layer) => {
    if (Math.abs(px - column.x) > reach) return;
    const near = column.gap ? Math.round((py - column.start) / column.gap) : 0;
    for (let unit = Math.max(0, near - 2); unit <= Math.min(data.sizes[layer] - 1, near + 2); unit++) {
      const lit = active[layer].has(unit);
      const away = Math.hypot(px - column.x, py - at.y(layer, unit)) - (lit ? 4 : 0);
      if (away < reach && (!best || away < best.away)) best = { kind: "neuron", layer, unit, away };
    }
  });
  if (best) return best;
  for (const e of edges) {
    const x0 = at.columns[e.layer].x, x1 = at.columns[e.layer + 1].x;
    if (px <= x0 || px >= x1) continue;
    const y0 = at.y(e.layer, e.source), y1 = at.y(e.layer + 1, e.target), t = (px - x0) / (x1 - x0);
    const slope = Math.abs(y1 - y0) / (x1 - x0) * 1.4;
    const away = Math.abs(py - curveY(t, y0, y1)) / Math.hypot(1, slope) - e.share * 1.5;
    if (away < 6 && (!best || away <= best.away)) best = { kind: "edge", ...e, away };
  }
  return best;
}

function stepTo(view, now, pressed) {
  const { active, data, at } = view, pool = active.map((units, l) => units.size ? [...units.keys()].sort((a, b) => a - b)
    : active.some((u) => u.size) ? [] : [...Array(data.sizes[l]).keys()]);
  const filled = pool.map((units, l) => units.length ? l : -1).filter((l) => l >= 0);
  if (!filled.length) return null;
  if (!now || !pool[now.layer].includes(now.unit)) return { kind: "neuron", layer: filled[0], unit: pool[filled[0]][0] };
  if (pressed === "ArrowUp" || pressed === "ArrowDown") {
    const units = pool[now.layer], next = units.indexOf(now.unit) + (pressed === "ArrowDown" ? 1 : -1);
    return { kind: "neuron", layer: now.layer, unit: units[(next + units.length) % units.length] };
  }
  const place = filled.indexOf(now.layer) + (pressed === "ArrowRight" ? 1 : -1);
  if (place < 0 || place >= filled.length) return now;
  const layer = filled[place], y = at.y(now.layer, now.unit);
  const unit = pool[layer].reduce((a, b) => Math.abs(at.y(layer, b) - y) < Math.abs(at.y(layer, a) - y) ? b : a);
  return { kind: "neuron", layer, unit };
}

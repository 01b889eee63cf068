// The network view: layers stand left to right. The lower canvas holds every weight and is drawn once per size and
// theme; the upper one holds the lit paths and the neuron under the pointer, and is redrawn on every move.
// Weights arrive as int8 (row-major, out x in), so 46,000 edges are 60 kB and no edge list exists.

const kept = new WeakMap(); // what survives a rerun: the drawn background and the keyboard position

const format = (v) => v === null || v === undefined || Number.isNaN(v) ? "undefined"
  : (v < 0 ? "−" : "") + Math.abs(v).toPrecision(3);

const layerName = (data, l) => data.captions ? data.captions[l]
  : l === 0 ? "inputs" : l === data.sizes.length - 1 ? "output" : `hidden layer ${l}`;

function neuronName(data, layer, unit) {
  const labels = layer === 0 ? data.input_labels : layer === data.sizes.length - 1 ? data.output_labels : null;
  return labels && labels[unit] ? labels[unit] : `neuron ${unit} of ${layerName(data, layer)}`;
}

function linesFor(view, spot) {
  const { data, active, layers } = view;
  if (spot.kind === "neuron") {
    const lines = [[neuronName(data, spot.layer, spot.unit), "b"]];
    if (spot.layer === 0 || spot.layer === data.sizes.length - 1) lines.push([`${layerName(data, spot.layer)}, index ${spot.unit}`, "q"]);
    const notes = (data.notes || {})[`${spot.layer}:${spot.unit}`] || {};
    for (const name of ["activation", "mean", "delta"]) if (name in notes) lines.push([`${name} ${format(notes[name])}`, ""]);
    if (notes.text) lines.push([notes.text, ""]);
    const value = data.neuron_values && data.neuron_values[spot.layer] ? data.neuron_values[spot.layer][spot.unit] : null;
    if (value !== null && value !== undefined) lines.push([`${data.value_name || "value"} ${format(value)}`, ""]);
    lines.push([active[spot.layer].has(spot.unit) ? "on the path" : "not on the path", "q"]);
    return lines;
  }
  const weight = layers[spot.layer][spot.target * data.sizes[spot.layer] + spot.source] / 127 * (data.scales ? data.scales[spot.layer] : 1);
  const lines = [[`${neuronName(data, spot.layer, spot.source)} → ${neuronName(data, spot.layer + 1, spot.target)}`, "b"]];
  if (view.comparing) {
    (data.path_names || ["first", "second"]).forEach((name, i) => spot.in[i] && lines.push([`${name}: contribution ${format(i ? spot.second : spot.first)}`, ""]));
  } else lines.push([`contribution ${format(spot.contribution)}`, ""]);
  lines.push([`weight ${format(weight)}`, ""]);
  return lines;
}

function showTip(tip, view, spot, px, py) {
  tip.replaceChildren(...linesFor(view, spot).map(([text, kind]) => {
    const line = document.createElement("div");
    const inner = document.createElement(kind === "b" ? "b" : "span");
    inner.textContent = text;
    if (kind === "q") inner.className = "q";
    line.append(inner);
    return line;
  }));
  tip.hidden = false;
  const room = view.at.width - tip.offsetWidth - 6;
  const beside = px + 16 > room ? px - tip.offsetWidth - 14 : px + 16;
  tip.style.left = `${Math.max(4, Math.min(beside, room))}px`;
  tip.style.top = `${Math.max(4, Math.min(py + 14, view.at.height - tip.offsetHeight - 4))}px`;
}

function swatch(colour, dash) {
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("width", "26");
  picture.setAttribute("height", "8");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const [name, value] of Object.entries({ d: "M1 4H25", stroke: colour, "stroke-width": 3, "stroke-dasharray": dash })) line.setAttribute(name, value);
  picture.append(line);
  return picture;
}

function fillFoot(foot, view, save) {
  const { data, colours, comparing, edges } = view, items = [];
  const item = (mark, text) => {
    const span = document.createElement("span");
    span.append(...(mark ? [mark] : []), document.createTextNode(text));
    items.push(span);
  };
  if (comparing) {
    const names = data.path_names || ["first", "second"];
    item(swatch(colours.before, ""), `only ${names[0]}`);
    item(swatch(colours.after, ""), `only ${names[1]}`);
    item(swatch(colours.shared, ""), "both");
  } else if (edges.length) {
    item(swatch(colours.positive, ""), "raises the score of the next neuron");
    item(swatch(colours.negative, "6 3.5"), "lowers it");
    item(null, "thicker = larger contribution");
  }
  if (data.neuron_values) {
    const ramp = document.createElement("i");
    ramp.className = "ramp";
    ramp.style.background = `linear-gradient(90deg, ${colours.low}, ${colours.high})`;
    item(ramp, `${data.value_name || "value"}, low to high`);
  }
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Save picture";
  button.onclick = save;
  foot.replaceChildren(...items, button);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".nv");
  const [stage, under, over, tip, foot, said] = [".stage", ".under", ".over", ".tip", ".foot", ".said"].map((s) => root.querySelector(s));
  const memory = kept.get(root) || {};
  kept.set(root, memory);
  // Between reruns nobody calls the function that this one returns: the last run's listeners are ended here.
  if (memory.end) memory.end();
  const font = getComputedStyle(root).fontFamily || "sans-serif";
  const layers = data.weights.map(decode), edges = gatherEdges(data);
  const view = { data, layers, edges, colours: data.colours, comparing: Boolean(data.second_path && data.second_path.length),
    active: activeNeurons(edges, data.sizes), chosen: data.chosen || null, at: null };
  let focus = null;
  stage.style.height = `${data.height}px`;
  under.setAttribute("aria-label", data.aria_label);
  stage.setAttribute("aria-label", `${data.aria_label} Arrow keys move between active neurons, Enter selects one.`);

  const paintOver = () => {
    const pen = fit(over, view.at.width, view.at.height);
    drawPath(pen, view, focus);
    if (focus && focus.kind === "neuron" && !view.active[focus.layer].has(focus.unit)) drawStrongest(pen, view, focus);
    drawActive(pen, view, focus);
    drawLabels(pen, view, font);
  };
  const paint = () => {
    const width = stage.clientWidth;
    if (width < 40) return;
    view.at = makeLayout(data, width, data.height);
    const now = [width, data.height, data.stamp, data.mode, window.devicePixelRatio, Boolean(data.neuron_values)].join("|");
    if (memory.drawn !== now || memory.canvas !== under || data.neuron_values) {
      const pen = fit(under, width, data.height);
      drawWeights(pen, data, layers, view.at, data.colours);
      drawNeurons(pen, data, view.at, data.colours);
      drawCaptions(pen, data, view.at, data.colours, font);
      Object.assign(memory, { drawn: now, canvas: under });
    }
    paintOver();
    root.dataset.ready = "true";
  };
  const look = (spot, px, py) => {
    const same = (spot && focus && spot.kind === focus.kind && spot.layer === focus.layer && spot.unit === focus.unit && spot.id === focus.id) || (!spot && !focus);
    focus = spot;
    stage.style.cursor = spot ? "pointer" : "default";
    if (!same) paintOver();
    if (spot) showTip(tip, view, spot, px, py); else tip.hidden = true;
  };
  const choose = (spot) => spot && setTriggerValue("click", spot.kind === "neuron"
    ? { kind: "neuron", layer: spot.layer, unit: spot.unit }
    : { kind: "edge", layer: spot.layer, source: spot.source, target: spot.target });
  const inside = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const save = () => {
    const sheet = document.createElement("canvas");
    [sheet.width, sheet.height] = [under.width, under.height];
    const pen = sheet.getContext("2d");
    pen.fillStyle = data.colours.ground;
    pen.fillRect(0, 0, sheet.width, sheet.height);
    pen.drawImage(under, 0, 0);
    pen.drawImage(over, 0, 0);
    const link = document.createElement("a");
    link.download = "network.png";
    link.href = sheet.toDataURL("image/png");
    link.click();
  };

  const ending = new AbortController(), heard = { signal: ending.signal };
  stage.addEventListener("pointermove", (event) => { const [x, y] = inside(event); look(findAt(view, x, y), x, y); }, heard);
  stage.addEventListener("pointerleave", () => look(null), heard);
  stage.addEventListener("click", (event) => { const [x, y] = inside(event); choose(findAt(view, x, y)); }, heard);
  stage.addEventListener("blur", () => look(null), heard);
  stage.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { memory.cursor = null; look(null); return; }
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(memory.cursor); return; }
    if (!event.key.startsWith("Arrow")) return;
    event.preventDefault();
    memory.cursor = stepTo(view, memory.cursor, event.key);
    if (!memory.cursor) return;
    const { layer, unit } = memory.cursor;
    look(memory.cursor, view.at.columns[layer].x, view.at.y(layer, unit));
    said.textContent = linesFor(view, memory.cursor).map(([text]) => text).join(", ");
  }, heard);
  fillFoot(foot, view, save);
  const watcher = new ResizeObserver(paint);
  watcher.observe(stage);
  paint();
  if (document.fonts) document.fonts.ready.then(() => { if (!ending.signal.aborted && view.at) { memory.drawn = null; paint(); } });
  memory.end = () => { ending.abort(); watcher.disconnect(); };
  return memory.end;
}

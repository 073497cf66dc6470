// Charts by plotly.js, which is loaded only when there is something to draw.
import { byId, colour, empty, NAMES, seconds } from "./view.js";

let loading;
function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = document.querySelector("meta[name=plotly]").content;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => { loading = undefined; reject(new Error("plotly.js did not load")); };
    document.head.append(script);
  });
  return loading;
}

const LABELS = { timeline: "Mood over time", voice: "Energy and pitch over time" };
const DASHES = { text: "dot", audio: "dash", face: "dashdot" };
const MOST_UTTERANCES = 60;
const MOST_MARKED = 30;
const INTERVALS = 4;
const STEPS = { dB: [5, 10, 20, 40], Hz: [20, 50, 100, 200] };
const TICK_PX = 90;
const LEGEND_ROW_PX = 20;
const LEGEND_ITEM_PX = 92;
const SETTINGS = { displayModeBar: false, responsive: true };

function layout({ until, width, items, ...more }) {
  const grid = { gridcolor: colour("line"), zeroline: false, linecolor: colour("line") };
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: colour("soft"), family: "system-ui, sans-serif", size: 12 },
    margin: { l: 44, r: more.yaxis2 ? 48 : 12, t: 8, b: 42 + LEGEND_ROW_PX * Math.ceil((items * LEGEND_ITEM_PX) / (width - 60)) }, hovermode: "x unified", hoverlabel: { bgcolor: colour("card"), font: { color: colour("ink") } },
    legend: { orientation: "h", yanchor: "bottom", yref: "container", y: 0, x: 0 }, ...more,
    dragmode: false, xaxis: { ...grid, fixedrange: true, rangemode: "tozero", tickangle: 0, ...clock(until, width) }, yaxis: { ...grid, fixedrange: true, ...more.yaxis },
    ...(more.yaxis2 ? { yaxis2: { ...grid, fixedrange: true, showgrid: false, overlaying: "y", side: "right", ...more.yaxis2 } } : {}),
  };
}

// At round places and not too many of them.
function clock(until, width) {
  const most = Math.max(2, (width - 90) / TICK_PX);
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200].find((each) => until / each <= most) ?? 14400;
  const places = Array.from({ length: Math.floor(until / step) + 1 }, (_, index) => index * step);
  return { range: [0, until], tickvals: places, ticktext: places.map(seconds) };
}

// A second without evidence is a gap, never a guess; one that stands alone is a line as long as it is.
function withGaps(points) {
  return points.flatMap((point, index) => {
    const { start_s: start, end_s: end } = point;
    const [first, last] = [points[index - 1]?.end_s !== start, points[index + 1]?.start_s !== end];
    const places = first && last ? [start, end] : [(start + end) / 2];
    const drawn = places.map((at) => ({ ...point, at }));
    return last && index < points.length - 1 ? [...drawn, { at: end, modalities: {} }] : drawn;
  });
}

// Of a session that is relative to the person's usual, every line is, so that one axis serves all.
export async function drawTimeline({ timeline, relative }, result) {
  const place = byId("timeline");
  if (!timeline.length) {
    const words = result.status === "live" ? "The line begins with the first second that can be judged." : "There was no second that could be judged.";
    clear(place, empty(words));
    return;
  }
  const Plotly = await plotly();
  if (!place.data) place.replaceChildren();
  const points = withGaps(timeline);
  const x = points.map((point) => point.at);
  const line = (y, more) => ({ x, y, mode: "lines", connectgaps: false, ...more });
  const alone = Object.keys(NAMES).filter((name) => timeline.some((point) => name in point.modalities)).map((name) =>
    line(points.map((point) => point.modalities[name]?.[relative ? "relative" : "mood"] ?? null), { name: NAMES[name], line: { color: colour(name), width: 1.5, dash: DASHES[name] } }));
  const apart = points.map((point) => (point.disagreement ? 0.95 : null));
  const traces = [
    ...bands(points, x), ...alone,
    ...(apart.some(Boolean) ? [line(apart, { name: "They disagree", hoverinfo: "skip", line: { color: colour("danger"), width: 4 } })] : []),
    line(points.map((point) => point.mood ?? null), { name: "Together", line: { color: colour("ink"), width: 3 } }),
  ];
  await Plotly.react(place, traces, layout({ items: alone.length + 3, until: timeline.at(-1).end_s, width: place.clientWidth, yaxis: { range: [0.9, 5.1], dtick: 1, title: { text: relative ? "mood, 3 is usual" : "mood" } } }), SETTINGS);
  const last = timeline.at(-1);
  place.setAttribute("aria-label", `Mood over ${Math.round(last.end_s)} seconds${relative ? ", relative to the usual, which is 3" : ""}; at the end ${last.mood.toFixed(1)}, between ${last.low.toFixed(1)} and ${last.high.toFixed(1)}`);
}

// One closed shape for each unbroken stretch: plotly fills across gaps otherwise.
function bands(points, x) {
  const shapes = [];
  let run = [];
  points.forEach((point, index) => {
    if (point.mood === undefined) { shapes.push(run); run = []; } else run.push(index);
  });
  shapes.push(run);
  return shapes.filter((each) => each.length > 1).map((each, number) => ({
    x: [...each.map((i) => x[i]), ...each.toReversed().map((i) => x[i])],
    y: [...each.map((i) => points[i].high), ...each.toReversed().map((i) => points[i].low)],
    fill: "toself", fillcolor: colour("band"), line: { width: 0 }, mode: "lines", hoverinfo: "skip", name: "80 % range", legendgroup: "band", showlegend: number === 0,
  }));
}

// Round numbers, and as many intervals on either axis, so that one grid serves both.
function axis(unit, values) {
  const known = values.filter((value) => value !== null && value !== undefined);
  if (!known.length) return { title: { text: unit }, showticklabels: false };
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const spans = (step) => Math.floor(most / step) - Math.floor(least / step) + 1;
  const step = STEPS[unit].find((each) => spans(each) <= INTERVALS) ?? (most - least) / (INTERVALS - 1);
  const low = step * (Math.floor(least / step) - Math.floor((INTERVALS - Math.min(INTERVALS, spans(step))) / 2));
  return { title: { text: unit }, tickformat: ".0f", tick0: low, dtick: step, range: [low, low + INTERVALS * step] };
}

// Of a long session neighbours are averaged, so that what is drawn stays readable.
function thinned(heard) {
  const size = Math.ceil(heard.length / MOST_UTTERANCES);
  const mean = (values) => { const known = values.filter((value) => typeof value === "number"); return known.length ? known.reduce((a, b) => a + b) / known.length : null; };
  return Array.from({ length: Math.ceil(heard.length / size) }, (_, index) => {
    const group = heard.slice(index * size, (index + 1) * size);
    return { at: mean(group.map((score) => (score.start_s + score.end_s) / 2)), energy: mean(group.map((score) => score.details.energy_db)), pitch: mean(group.map((score) => score.details.pitch_hz)) };
  });
}

function sayVoice(last, speaker) {
  const usual = speaker ? `Usually about ${Math.round(speaker.pitch_hz)} Hz. ` : "";
  const { relative_voice: relative } = last;
  const than = (value, more, less) => (value >= 1 ? more : value <= -1 ? less : null);
  const found = relative ? [than(relative.pitch_sd, "higher", "lower"), than(relative.energy_sd, "louder", "quieter")].filter(Boolean) : [];
  const said = relative ? `The last words were ${found.length ? `${found.join(" and ")} than usual` : "about as usual"} for this voice; intensity ${relative.intensity}.` : "";
  byId("speaker").textContent = usual + said;
}

function noVoice(result) {
  if (!("audio" in result.modalities)) return "Nobody agreed to the voice being judged.";
  return result.status === "live" ? "No voice was heard yet." : "No voice was heard.";
}

export async function drawVoice(scores, result) {
  const place = byId("voice");
  const heard = scores.filter((score) => score.details.energy_db !== null && score.details.energy_db !== undefined);
  if (!heard.length) {
    byId("speaker").textContent = "";
    clear(place, empty(noVoice(result)));
    return;
  }
  const Plotly = await plotly();
  if (!place.data) place.replaceChildren();
  sayVoice(heard.at(-1), result.speaker);
  const points = thinned(heard);
  const x = points.map((point) => point.at);
  const marks = (y, name, shade, symbol, more) => ({ x, y, name, mode: points.length > MOST_MARKED ? "lines" : "lines+markers", marker: { color: colour(shade), symbol, size: 8 }, line: { color: colour(shade), width: 1.5 }, ...more });
  const traces = [
    marks(points.map((point) => point.energy), "Energy (dB)", "audio", "circle", {}),
    marks(points.map((point) => point.pitch), "Pitch (Hz)", "text", "diamond", { yaxis: "y2" }),
  ];
  await Plotly.react(place, traces, layout({ items: traces.length, until: heard.at(-1).end_s, width: place.clientWidth, yaxis: axis("dB", points.map((point) => point.energy)), yaxis2: axis("Hz", points.map((point) => point.pitch)) }), SETTINGS);
  const last = heard.at(-1).details;
  place.setAttribute("aria-label", `Energy and pitch of ${heard.length} utterances; the last one ${last.energy_db.toFixed(0)} dB over the noise${last.pitch_hz ? ` at ${last.pitch_hz.toFixed(0)} Hz` : ""}${last.intensity ? `, ${last.intensity}` : ""}`);
}

// What was forgotten must not stay drawn, nor be told to who listens.
function clear(place, ...instead) {
  if (place.data) window.Plotly.purge(place);
  place.replaceChildren(...instead);
  place.setAttribute("aria-label", LABELS[place.id]);
}

export function clearCharts() {
  for (const id of Object.keys(LABELS)) clear(byId(id));
}

// Draws what is known of a session. Everything that comes from people is set as text, never as HTML.
export const NAMES = { text: "Words", audio: "Voice", face: "Face" };
// Points of mood from which a word is coloured in full.
const FULL_EFFECT = 0.5;

export function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}
export const byId = (id) => document.getElementById(id);
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
// As minutes and seconds, from an hour on with its hours.
export function seconds(s) {
  const parts = [Math.floor(s / 60) % 60, Math.floor(s % 60)];
  if (s >= 3600) parts.unshift(Math.floor(s / 3600));
  return parts.map((part, index) => (index ? String(part).padStart(2, "0") : part)).join(":");
}
const share = (value) => (value - 1) / 4;
// A number and its unit stay on one line.
const together = (words) => words.replace(/(\d) (s|min|%)(?![a-z])/g, "$1\u00a0$2");
const percent = (value) => `${Math.round(100 * value)} %`;
export const empty = (words) => make("p", { className: "empty", textContent: words });

export function moodColour(mood) {
  if (mood === null || mood === undefined) return "var(--line)";
  const strength = Math.min(100, Math.round(Math.abs(mood - 3) * 60));
  return `color-mix(in oklab, var(--${mood < 3 ? "low" : "high"}) ${strength}%, var(--line))`;
}

export function drawMood(result) {
  const { mood } = result;
  const place = byId("mood");
  if (!mood) {
    const why = result.status === "live" ? "There is not enough to judge yet." : "There was not enough that could be judged.";
    place.replaceChildren(empty(why));
    return;
  }
  const words = `${mood.score.toFixed(1)} of 5, ${mood.label}; between ${mood.low.toFixed(1)} and ${mood.high.toFixed(1)} with 80 % confidence`;
  const range = make("div", { className: "range" });
  range.style.left = `${100 * share(mood.low)}%`;
  range.style.width = `${100 * (share(mood.high) - share(mood.low))}%`;
  const mark = make("div", { className: "mark" });
  mark.style.left = `${100 * share(mood.score)}%`;
  const scale = make("div", { className: "scale", role: "img", ariaLabel: words }, make("div", { className: "rail" }), range, mark,
    make("ol", { ariaHidden: "true" }, ...[1, 2, 3, 4, 5].map((n) => make("li", { textContent: n }))));
  place.replaceChildren(
    make("p", { className: "value" }, mood.score.toFixed(1), make("small", { textContent: " of 5" })),
    make("p", { className: "label", textContent: mood.label }),
    scale,
    make("p", { className: "soft small", textContent: `Between ${mood.low.toFixed(1)} and ${mood.high.toFixed(1)} with 80 % confidence${scaleWords(mood)}.` }),
    mix(result.distribution),
  );
}

function scaleWords({ relative, usual, absolute }) {
  return relative ? `, relative to this person’s usual, which is 3 here. Absolute: ${absolute.toFixed(1)}; usual: ${usual.toFixed(1)}` : "";
}

function mix(distribution) {
  const most = Object.entries(distribution).sort((a, b) => b[1] - a[1]).filter(([, part], index) => part >= 0.03 && index < 4);
  const rows = most.map(([emotion, part]) => {
    const fill = make("i");
    fill.style.width = `${100 * part}%`;
    return make("li", {}, make("span", { textContent: emotion }), make("div", { className: "share", ariaHidden: "true" }, fill), make("span", { className: "number", textContent: percent(part) }));
  });
  return make("ul", { className: "mix", ariaLabel: "The mix of emotions" }, ...rows);
}

export function drawCourse(course, result) {
  const place = byId("course");
  if (!course) {
    place.replaceChildren(empty(result.status === "live" ? "It is still going on." : "There was not enough that could be judged."));
    return;
  }
  const moment = (name, { start_s: from, end_s: to, mood, emotion }) => make("tr", {}, make("th", { scope: "row", textContent: name }),
    make("td", { textContent: to - from > 1 ? `${seconds(from)} to ${seconds(to)}` : `at ${seconds(from)}` }), make("td", { textContent: emotion }), make("td", { className: "number", textContent: mood.toFixed(1) }));
  const mean = make("tr", {}, make("th", { scope: "row", textContent: "mean" }), make("td", { textContent: "all of it" }), make("td"), make("td", { className: "number", textContent: course.mean.toFixed(1) }));
  const apart = course.disagreements.map(({ start_s: from, end_s: to, between: [first, second] }) =>
    make("li", { textContent: `${NAMES[first]} and ${NAMES[second].toLowerCase()} disagree from ${seconds(from)} to ${seconds(to)}.` }));
  place.replaceChildren(make("p", { className: "label", textContent: course.label }),
    table("How it went", ["", "when", "strongest", course.relative ? "mood, 3 is usual" : "mood"], [mean, moment("peak", course.peak), moment("end", course.end)]),
    ...(apart.length ? [make("ul", { className: "small soft apart" }, ...apart)] : []));
}

export function drawShares(result) {
  const rows = Object.entries(result.modalities).map(([name, each]) => {
    const fill = make("i");
    fill.style.width = `${100 * each.weight}%`;
    fill.style.background = `var(--${name})`;
    return make("tr", {},
      make("th", { scope: "row", textContent: NAMES[name] }),
      make("td", { className: "number", textContent: each.mood === null ? "–" : each.mood.toFixed(1) }),
      make("td", {}, make("div", { className: "share", ariaHidden: "true" }, fill), make("span", { textContent: percent(each.weight) })),
      make("td", { className: "soft", textContent: together(each.reasons.join("; ")) || "nothing lowers it" }));
  });
  renew("shares", table("What each says", ["", result.mood?.relative ? "absolute mood" : "mood", "share", "why"], rows));
  drawDisagreement(result);
}

function drawDisagreement(result) {
  const said = result.mood?.disagreement?.map((name) => `${NAMES[name].toLowerCase()} at ${result.modalities[name].mood.toFixed(1)}`);
  const note = said && make("p", { className: "note", textContent: `They disagree: ${said.join(", ")}${result.mood.relative ? " (absolute)" : ""}. The range is wider for it.` });
  byId("disagreement").replaceChildren(...(note ? [note] : []));
}

export function drawAccounting(result) {
  const judged = Object.entries(result.accounting);
  const rows = ["published", "scored", "abstained", "failed", "expired", "forgotten"].map((outcome) => make("tr", {},
    make("th", { scope: "row", textContent: outcome }), ...judged.map(([, row]) => make("td", { className: "number", textContent: row[outcome] }))));
  renew("accounting", table("What became of every piece", ["", ...judged.map(([name]) => NAMES[name])], rows));
}

// Put a table in place of its older self; the box around it stays, and with it focus, scrolling and a reader's place.
function renew(id, fresh) {
  const old = byId(id).firstElementChild;
  if (!old) byId(id).replaceChildren(fresh);
  else if (!old.isEqualNode(fresh)) old.replaceChildren(...fresh.childNodes);
}

export function table(name, heads, rows) {
  const kind = (index) => (rows[0]?.children[index]?.className === "number" ? "number" : "");
  const head = make("tr", {}, ...heads.map((text, index) => (text ? make("th", { scope: "col", className: kind(index), textContent: text }) : make("td"))));
  const box = make("div", { className: "scroll", tabIndex: 0, role: "group", ariaLabel: name }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
  return box;
}

export function dropWords(inside) {
  for (const item of byId("words").querySelectorAll("li[data-seq]")) if (inside(Number(item.dataset.start), Number(item.dataset.end))) item.remove();
}

export function drawWords(scores, result) {
  const list = byId("words");
  const known = new Map([...list.querySelectorAll("li[data-seq]")].map((item) => [item.dataset.seq, item]));
  const fresh = scores.filter((score) => score.details.transcript && !known.has(String(score.seq)));
  const items = [...known.values(), ...fresh.map(wordLine)].sort((a, b) => a.dataset.start - b.dataset.start);
  if (!items.length) { list.replaceChildren(make("li", { className: "empty", textContent: noWords(result) })); return; }
  if (!fresh.length) return;
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.replaceChildren(...items);
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function noWords(result) {
  if (!("text" in result.modalities)) return "Nobody agreed to words being judged.";
  return result.status === "live" ? "Nothing was said yet." : "Nothing was said.";
}

function wordLine(score) {
  const said = make("span", { className: "said" }, ...saidWords(score.details));
  said.style.borderColor = moodColour(score.mood);
  const item = make("li", {}, make("span", { className: "at", textContent: seconds(score.start_s) }), said,
    make("span", { className: "number", textContent: score.mood === null ? "–" : score.mood.toFixed(1), title: "absolute mood of the words, 1 to 5" }));
  item.dataset.seq = score.seq;
  item.dataset.start = score.start_s;
  item.dataset.end = score.end_s;
  return item;
}

// Each word by what it does to the mood; where that is not known, the sentence as it is.
function saidWords({ transcript, words }) {
  if (!words.some((word) => word.effect)) return [transcript];
  return words.flatMap(({ text, effect }) => {
    const strength = Math.min(100, Math.round((100 * Math.abs(effect ?? 0)) / FULL_EFFECT));
    if (strength < 10) return [`${text.trim()} `];
    const word = make("span", { className: effect < 0 ? "word lowers" : "word", textContent: text.trim(), title: `${effect < 0 ? "lowers" : "raises"} the mood of these words by ${Math.abs(effect).toFixed(1)}` });
    word.style.setProperty("--strength", `${strength}%`);
    return [word, " "];
  });
}

export function drawFaces(result, newest) {
  const place = byId("faces");
  if (!("face" in result.modalities)) { place.replaceChildren(empty("Nobody agreed to faces being judged.")); return; }
  if (!newest) {
    const lately = result.accounting.face.published ? "There was no picture in the last half minute." : "There was no picture.";
    place.replaceChildren(empty(result.status === "live" && !result.accounting.face.published ? "No picture yet." : lately));
    return;
  }
  const { faces } = newest.details;
  const words = faces.length === 0 ? "no face" : faces.length === 1 ? "one face" : `${faces.length} faces; the thick one is judged`;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 160 120");
  svg.setAttribute("class", "frame");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Where the faces are in the newest picture: ${words}`);
  for (const face of faces) {
    const box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const where = { x: 160 * face.x, y: 120 * face.y, width: 160 * face.width, height: 120 * face.height, rx: 4, fill: "none", stroke: "var(--face)", "stroke-width": face.main ? 3 : 1 };
    for (const [name, value] of Object.entries(where)) box.setAttribute(name, value);
    svg.append(box);
  }
  const counts = result.accounting.face;
  place.replaceChildren(svg, make("p", { className: "small", textContent: `At ${seconds(newest.start_s)}: ${words}. Of ${counts.published} pictures, ${counts.scored} were judged.` }));
}

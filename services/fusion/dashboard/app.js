// The page: which view is shown, and what a person does in it.
import * as api from "./api.js";
import { Capture, openDevices } from "./capture.js";
import { SessionView } from "./session.js";
import { byId, empty, make, moodColour, NAMES, seconds, table } from "./view.js";

let shown = null;

function tell(words) {
  byId("notice").replaceChildren(...(words ? [make("p", { className: "note", textContent: words })] : []));
}
// What is to be read on the list after a session is left.
let farewell = "";
function leave(words = "") { farewell = words; if (location.hash === "#/") guard(route)(); else location.hash = "#/"; }
const guard = (action) => async (...given) => {
  try { tell(farewell); farewell = ""; await action(...given); } catch (error) { tell(error instanceof api.Problem ? error.message : "Something went wrong on this page; reload it."); if (!(error instanceof api.Problem)) console.error(error); }
};
function choice(id) {
  const dialog = byId(id);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));
}

// --- the list -------------------------------------------------------------------------------------------------------
let cursor = null;
let rows = [];
let asked = 0;
async function showList(more = false) {
  if (!more) { cursor = null; rows = []; }
  asked += 1;
  const mine = asked;
  const page = await api.list(cursor);
  // Asked for again meanwhile: what comes then is shown.
  if (mine !== asked) return;
  rows.push(...page.sessions.map(listRow));
  cursor = page.next_cursor;
  byId("more").hidden = !cursor;
  byId("list").replaceChildren(rows.length ? table("Sessions", ["session", "mood", "length", "judged", "kept until"], rows)
    : empty("No session yet. Drop a recording above, or start one with this microphone and camera."));
}
function listRow(session) {
  const when = (text) => new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  const mood = make("td", { className: "number", textContent: "–" });
  showMood(session.session_id, mood);
  return make("tr", {},
    make("td", {}, make("a", { href: `#/s/${session.session_id}`, textContent: when(session.created_at) }), make("code", { textContent: session.session_id })),
    mood,
    make("td", { textContent: session.duration_s === null ? "going on" : seconds(session.duration_s) }),
    make("td", { textContent: session.modalities.map((each) => NAMES[each].toLowerCase()).join(", ") }),
    make("td", { textContent: when(session.expires_at) }));
}

// A list holds no results; where this browser has a session's token, it may read them. All are absolute, to be compared.
async function showMood(id, place) {
  if (!api.tokenOf(id)) return;
  const { mood } = await api.read(id).catch(() => ({ mood: null }));
  if (!mood) return;
  const dot = make("span", { className: "mood-dot", ariaHidden: "true" });
  const score = mood.absolute ?? mood.score;
  dot.style.background = moodColour(score);
  place.replaceChildren(dot, score.toFixed(1));
}

// --- which view -----------------------------------------------------------------------------------------------------
async function route() {
  // A link may be pasted into a page that is open already.
  api.takeKeyFromAddress();
  shown?.close();
  shown = null;
  const id = /^#\/s\/([\w-]+)$/.exec(location.hash)?.[1];
  byId("home").hidden = Boolean(id);
  byId("back").hidden = !id;
  byId("session").hidden = true;
  document.title = id ? `Session ${id} · Mien` : "Mien";
  if (!id) { await showList(); return; }
  if (!api.tokenOf(id)) {
    const answer = await choice("unlock");
    const token = byId("token").value.trim();
    byId("token").value = "";
    if (answer !== "open" || !token) { location.hash = "#/"; return; }
    api.keepToken(id, token);
  }
  const view = pending?.id === id ? pending : new SessionView(id, leave);
  pending = null;
  shown = view;
  byId("session").hidden = false;
  // Before anything is fetched: who begins to type meanwhile must not lose the place.
  byId("main").focus();
  try { await view.open(); } catch (error) {
    if (error.status === 404) api.dropToken(id);
    // Who closed it says why; another one may be shown by now.
    if (view.closed) return;
    view.close();
    byId("session").hidden = true;
    throw error;
  }
}

// --- beginning ------------------------------------------------------------------------------------------------------
let pending = null;
async function consent(what) {
  byId("consent-what").textContent = what;
  byId("agreed").checked = false;
  byId("begin").disabled = true;
  if (await choice("consent") !== "begin") return null;
  const modalities = [...document.querySelectorAll("[name=modality]:checked")].map((box) => box.value);
  return { consent: true, purpose: byId("purpose").value, retention_s: Number(byId("retention").value), modalities };
}
function checkConsent() {
  byId("begin").disabled = !byId("agreed").checked || !document.querySelector("[name=modality]:checked");
}

async function analyse(recording) {
  const wanted = await consent(`“${recording.name}” will be read by the service in memory, judged, and not stored.`);
  if (!wanted) return;
  const { session_id: id } = await api.create(wanted);
  const view = new SessionView(id, leave);
  view.recording = true;
  pending = view;
  location.hash = `#/s/${id}`;
  byId("progress-text").textContent = "Sending the recording";
  try {
    await api.upload(id, recording, (part) => { if (shown === view) byId("progress-bar").value = part; });
  } catch (error) {
    // Why it failed is what is to be read, not that nothing is left of it.
    view.close();
    await api.erase(id).catch(() => {});
    // Another session may be shown by now, and go on.
    if (!shown || shown === view) leave(error.message); else tell(error.message);
  }
}

async function startLive() {
  const wanted = await consent("Sound and pictures from this device will go to the service as you speak. They are judged and dropped; only the result is kept.");
  if (!wanted) return;
  const capture = new Capture(await openDevices(wanted.modalities));
  let id;
  try {
    ({ session_id: id } = await api.create(wanted));
    const view = new SessionView(id, leave);
    view.capture = capture;
    pending = view;
    location.hash = `#/s/${id}`;
    await capture.start(id, (failure) => {
      view.capture = null;
      if (shown === view) byId("capture").hidden = true;
      if (failure) tell(failure.message);
    });
  } catch (error) {
    const { over } = capture;
    capture.stop();
    if (!over) throw error;
  } finally {
    if (id && capture.begun === undefined) await api.end(id).catch(() => {});
  }
}

async function save(format) {
  const { id } = shown;
  const blob = await api.file(id, `/report.${format}`);
  const link = make("a", { href: URL.createObjectURL(blob), download: `mien-${id}.${format}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  byId("export").open = false;
}

async function erase() {
  if (await choice("confirm") !== "delete") return;
  const view = shown;
  view.close();
  try { await api.erase(view.id); } catch (error) {
    if (shown === view) await route();
    throw error;
  }
  if (shown === view) location.hash = "#/";
}

// The field is free again at once; what could not be sent comes back into it.
async function type() {
  const field = byId("typed");
  const words = field.value.trim();
  if (!words) return;
  field.value = "";
  try { await api.write(shown.id, words); } catch (error) {
    field.value ||= words;
    throw error;
  }
}

function listen() {
  const on = (id, kind, action) => byId(id).addEventListener(kind, guard(action));
  const drop = byId("drop");
  on("choose", "click", () => byId("file").click());
  on("file", "change", async ({ target }) => { const [chosen] = target.files; target.value = ""; if (chosen) await analyse(chosen); });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.toggle("over", kind === "dragover"); });
  }
  on("drop", "drop", async (event) => { const [dropped] = event.dataTransfer.files; if (dropped) await analyse(dropped); });
  on("start-live", "click", startLive);
  on("more", "click", () => showList(true));
  on("stop", "click", () => shown.capture.stop());
  on("forget", "click", async () => { await shown.forget(); tell("The last minute is forgotten; it does not come back."); });
  on("end", "click", () => (shown.capture ? shown.capture.stop() : api.end(shown.id)));
  on("delete", "click", erase);
  on("type", "submit", async (event) => { event.preventDefault(); await type(); });
  for (const button of document.querySelectorAll("[data-export]")) button.addEventListener("click", guard(() => save(button.dataset.export)));
  byId("consent").addEventListener("change", checkConsent);
  // No submit buttons, so that Enter in a field does what the dialog is for.
  for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", () => button.closest("dialog").close());
  addEventListener("hashchange", guard(route));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => shown?.refresh());
  let resized;
  addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(() => shown?.refresh(), 300); });
  addEventListener("pagehide", () => shown?.capture?.stop());
}

listen();
guard(route)();

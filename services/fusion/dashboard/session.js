// One session as it is shown: read, followed, drawn, and said to who listens instead of looking.
import * as api from "./api.js";
import { clearCharts, drawTimeline, drawVoice } from "./charts.js";
import { byId, drawAccounting, drawCourse, drawFaces, drawMood, drawShares, drawWords, dropWords, seconds } from "./view.js";

const STATUS = { live: "going on", draining: "last pieces are being judged", complete: "complete" };
const MINUTE_S = 60;
// Longest that something said may take until its score is here.
const LATE_S = 30;
const SAY_EVERY_MS = 10000;
const LONGEST_PACE_MS = 5000;
// No answer, too many questions, or a store that is away: asked again.
const PASSING = new Set([0, 429, 503]);

export class SessionView {
  constructor(id, onGone) {
    this.id = id;
    this.onGone = onGone;
    this.stopping = new AbortController();
    this.pace = 0;
    this.forgotten = 0;
    this.anew();
  }

  // Nothing is known yet: at the beginning, and where events were missed.
  anew() {
    this.drawnAt = -Infinity;
    this.reach = { text: 0, audio: 0 };
    this.known = { text: new Map(), audio: new Map() };
    this.newest = null;
    this.end = 0;
    byId("words").replaceChildren();
  }

  async open() {
    clearCharts();
    for (const id of ["mood", "shares", "disagreement", "faces", "course", "accounting"]) byId(id).replaceChildren();
    this.unsay();
    this.status("opening");
    byId("session-id").textContent = this.id;
    byId("progress").hidden = !this.recording;
    byId("capture").hidden = !this.capture;
    const result = await api.read(this.id);
    if (this.closed) return;
    this.draw(result);
    await this.refresh();
    api.follow(this.id, (kind, data) => this.onEvent(kind, data), this.stopping.signal);
  }

  get closed() { return this.stopping.signal.aborted; }

  close() {
    this.stopping.abort();
    this.capture?.stop();
  }

  onEvent(kind, data) {
    if (kind === "broken") { this.status("connection lost; trying again"); return; }
    if (kind === "open" && this.result) this.status(STATUS[this.result.status]);
    if (kind === "progress") this.progress(data);
    if (kind === "gap") this.anew();
    if (kind === "forgotten") this.drop(Number(data.start_s), Number(data.end_s));
    if (kind === "erased") { this.close(); this.onGone("This session was erased, or its retention is over."); }
    if (kind === "interim" || kind === "final") { this.draw(data); this.refresh(); }
    if (kind === "final") byId("progress").hidden = true;
  }

  status(words) {
    if (byId("status").textContent !== words) byId("status").textContent = words;
    byId("status").classList.toggle("live", words === STATUS.live);
  }

  draw(result) {
    this.result = result;
    this.status(STATUS[result.status]);
    // It may have been ended elsewhere.
    if (result.status !== "live") this.capture?.stop();
    const over = result.status !== "live" || Boolean(this.recording);
    byId("end").hidden = over;
    byId("forget").hidden = over;
    byId("type").hidden = over || !("text" in result.modalities);
    drawMood(result);
    drawShares(result);
    drawAccounting(result);
    this.say(result);
  }

  // Politely: a change that matters, not every second, and the result when it is there.
  say(result) {
    const { mood } = result;
    if (!mood) { this.unsay(); return; }
    const key = `${Math.round(2 * mood.score)} ${mood.label} ${result.status}`;
    const now = performance.now();
    if (key === this.said || (result.status === "live" && now - this.saidAt < SAY_EVERY_MS)) return;
    this.said = key;
    this.saidAt = now;
    byId("said").textContent = `${result.status === "complete" ? "Result" : "Mood now"}: ${mood.score.toFixed(1)} of 5, ${mood.label}.`;
  }

  // What was said stands on what is gone now.
  unsay() {
    this.said = null;
    this.saidAt = -Infinity;
    byId("said").textContent = "";
  }

  progress({ done_s: done, duration_s: duration }) {
    byId("progress").hidden = false;
    byId("progress-text").textContent = duration ? `Read ${seconds(done)} of ${seconds(duration)}` : `Read ${seconds(done)}`;
    if (duration) byId("progress-bar").value = done / duration; else byId("progress-bar").removeAttribute("value");
  }

  // Time as it is captured here; of what is captured elsewhere, as far as it is known, and what may be on its way.
  async forget() {
    const end = this.capture ? this.capture.elapsed() + 1 : this.end + LATE_S;
    const start = Math.max(0, (this.capture ? end : this.end) - MINUTE_S);
    await api.forget(this.id, start, end);
    this.drop(start, end);
  }

  drop(start, end) {
    this.forgotten += 1;
    const inside = (from, to) => from < end && to > start;
    for (const known of Object.values(this.known)) {
      for (const [seq, score] of known) if (inside(score.start_s, score.end_s)) known.delete(seq);
    }
    if (this.newest && inside(this.newest.start_s, this.newest.start_s + 0.001)) this.newest = null;
    dropWords(inside);
    this.unsay();
    this.refresh();
  }

  // One at a time, not faster than a long session's points change, and once more where something came in the meantime.
  async refresh() {
    this.again = true;
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.again && !this.closed) {
        await this.pause();
        this.again = false;
        await this.fetchAll();
        this.drawnAt = performance.now();
      }
    } catch (error) {
      if (PASSING.has(error.status)) setTimeout(() => this.refresh(), 2000);
    } finally { this.busy = false; }
  }

  async pause() {
    const left = this.result?.status === "live" ? this.drawnAt + this.pace - performance.now() : 0;
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
  }

  async fetchAll() {
    const over = this.result.status !== "live";
    const timeline = await api.read(this.id, "/timeline?points=300&evidence=false");
    this.end = timeline.timeline.at(-1)?.end_s ?? 0;
    const [, , face, whole] = await Promise.all([
      this.news("text"), this.news("audio"), this.newestFace(), over ? api.read(this.id, "?include=course") : null]);
    if (this.closed) return;
    this.pace = Math.min(LONGEST_PACE_MS, 500 * timeline.resolution_s);
    drawWords([...this.known.text.values()], this.result);
    drawFaces(this.result, face);
    drawCourse(whole?.course, this.result);
    await Promise.all([drawTimeline(timeline, this.result), drawVoice([...this.known.audio.values()].sort((a, b) => a.start_s - b.start_s), this.result)]);
  }

  // Scores may come out of order: half a minute is looked at again, and everything where the account knows of more.
  async news(modality) {
    if (!(modality in this.result.modalities)) return;
    const { scored, abstained } = this.result.accounting[modality];
    await this.readOn(modality);
    if (this.known[modality].size >= scored + abstained) return;
    this.reach[modality] = 0;
    await this.readOn(modality);
  }

  async readOn(modality) {
    const { forgotten } = this;
    for (let page; !page || page.length === 1000;) {
      page = (await api.read(this.id, `/evidence?modality=${modality}&start_s=${Math.max(0, this.reach[modality] - LATE_S)}&limit=1000`)).evidence;
      // It may have been read before something was forgotten, and is read again.
      if (forgotten !== this.forgotten) return;
      for (const score of page) this.known[modality].set(score.seq, score);
      const last = page.at(-1)?.start_s ?? 0;
      if (last <= this.reach[modality]) break;
      this.reach[modality] = last;
    }
  }

  // The newest picture lies near the end of what is known; of a long session the rest is not read for it.
  async newestFace() {
    if (!("face" in this.result.modalities)) return null;
    const { forgotten } = this;
    const from = Math.max(0, this.newest?.start_s ?? this.end - LATE_S);
    const { evidence } = await api.read(this.id, `/evidence?modality=face&start_s=${from}&limit=1000`);
    if (forgotten === this.forgotten) this.newest = evidence.at(-1) ?? this.newest;
    return this.newest;
  }
}

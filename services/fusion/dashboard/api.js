// The HTTP API as the page needs it. Tokens stay in this browser; the service keeps only their hashes.
const TOKENS = "mien.tokens";
const KEY = "mien.key";

export class Problem extends Error {
  constructor(status, detail) { super(detail); this.status = status; }
}

// A link may bring a key, a session's token, or both: #key=…&session=…&token=…; the address forgets them at once.
export function takeKeyFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const [apiKey, id, token] = ["key", "session", "token"].map((name) => given.get(name));
  if (apiKey) sessionStorage.setItem(KEY, apiKey);
  if (id && token) keepToken(id, token);
  if (apiKey || id) history.replaceState(null, "", id ? `#/s/${encodeURIComponent(id)}` : "#/");
}

const tokens = () => JSON.parse(localStorage.getItem(TOKENS) ?? "{}");
export const tokenOf = (id) => tokens()[id];
export function keepToken(id, token) { localStorage.setItem(TOKENS, JSON.stringify({ ...tokens(), [id]: token })); }
export function dropToken(id) {
  const { [id]: _, ...rest } = tokens();
  localStorage.setItem(TOKENS, JSON.stringify(rest));
}

const bearer = (id) => ({ Authorization: `Bearer ${tokenOf(id) ?? "none"}` });
const key = () => { const value = sessionStorage.getItem(KEY); return value ? { "X-API-Key": value } : {}; };

const WANTS_KEY = "This service wants a key, which whoever runs it hands out. Add #key=YOUR-KEY to the address of this page.";

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Problem(0, "The service does not answer. Is it still running?");
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  throw new Problem(answer.status, problem.detail ?? `The service answered ${answer.status}.`);
}

const json = { "Content-Type": "application/json" };
const at = (id, rest = "") => `/v1/sessions/${encodeURIComponent(id)}${rest}`;

async function askWithKey(path, options = {}) {
  try { return await ask(path, { ...options, headers: { ...options.headers, ...key() } }); } catch (error) {
    throw error.status === 401 ? new Problem(401, WANTS_KEY) : error;
  }
}

export async function create(wanted) {
  const made = await (await askWithKey("/v1/sessions", { method: "POST", headers: json, body: JSON.stringify(wanted) })).json();
  keepToken(made.session_id, made.token);
  return made;
}
export const list = async (cursor) =>
  (await askWithKey(`/v1/sessions?limit=20${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`)).json();
export const read = async (id, rest = "") => (await ask(at(id, rest), { headers: bearer(id) })).json();
export const file = async (id, rest) => (await ask(at(id, rest), { headers: bearer(id) })).blob();
export const end = (id) => ask(at(id, "/end"), { method: "POST", headers: bearer(id) });
export const forget = (id, start, end) =>
  ask(at(id, "/forget"), { method: "POST", headers: { ...json, ...bearer(id) }, body: JSON.stringify({ start_s: start, end_s: end }) });
export const write = (id, text) =>
  ask(at(id, "/text"), { method: "POST", headers: { ...json, ...bearer(id) }, body: JSON.stringify({ text }) });
export async function erase(id) { await ask(at(id), { method: "DELETE", headers: bearer(id) }); dropToken(id); }

export function upload(id, recording, onProgress) {
  // fetch() does not tell how much is sent.
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", at(id, "/media"));
    request.setRequestHeader("Authorization", bearer(id).Authorization);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = (event) => onProgress(event.loaded / event.total);
    request.onerror = () => reject(new Problem(0, "The recording did not arrive. Is the service still running?"));
    request.onload = () => {
      if (request.status === 202) return resolve();
      let detail = `The service answered ${request.status}.`;
      try { detail = JSON.parse(request.responseText).detail; } catch { /* not ours */ }
      return reject(new Problem(request.status, detail));
    };
    request.send(recording);
  });
}

export function liveSocket(id) {
  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}${at(id, "/live")}`);
  socket.binaryType = "arraybuffer";
  socket.addEventListener("open", () => socket.send(JSON.stringify({ token: tokenOf(id) })));
  return socket;
}

// Follow a session; after a break, go on after the last event. EventSource cannot send a token.
export async function follow(id, onEvent, signal) {
  let last;
  for (let pause = 500; !signal.aborted; pause = Math.min(2 * pause, 8000)) {
    try {
      const again = Boolean(last);
      const headers = { ...bearer(id), ...(last ? { "Last-Event-ID": last } : {}) };
      const answer = await ask(at(id, "/events"), { headers, signal });
      if (answer.status === 204) return;
      onEvent("open", {});
      pause = 500;
      for await (const event of events(answer.body)) {
        last = event.id ?? last;
        // Who has only begun to follow has just read everything.
        if (event.kind !== "gap" || again) onEvent(event.kind, event.data);
        if (event.kind === "final" || event.kind === "erased") return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if ([401, 404].includes(error.status)) { onEvent("erased", {}); return; }
    }
    if (signal.aborted) return;
    onEvent("broken", {});
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

async function* events(body) {
  let rest = "";
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const frames = (rest + value).split("\n\n");
    rest = frames.pop();
    for (const frame of frames) {
      const fields = Object.fromEntries(frame.split("\n").map((line) => [line.split(": ", 1)[0], line.slice(line.indexOf(": ") + 2)]));
      if (fields.event) yield { kind: fields.event, id: fields.id, data: JSON.parse(fields.data) };
    }
  }
}

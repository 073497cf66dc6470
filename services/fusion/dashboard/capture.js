// The browser as the capture agent's eyes and ears: sound at 16 kHz and a few pictures a second, over one socket.
import { liveSocket, Problem } from "./api.js";
import { byId } from "./view.js";

const RATE_HZ = 16000;
const FRAMES_PER_S = 5;
const LONGEST_SIDE = 640;
// Bytes: the kind, and a double.
const HEADER = 9;

export async function openDevices(modalities) {
  if (!navigator.mediaDevices) throw new Problem(0, "Browsers lend microphone and camera only to pages over https, or on localhost.");
  const wanted = { audio: modalities.some((each) => each !== "face") && { channelCount: 1 }, video: modalities.includes("face") && { width: { ideal: LONGEST_SIDE } } };
  try {
    return await navigator.mediaDevices.getUserMedia(wanted);
  } catch (error) {
    const why = { NotAllowedError: "The browser was not allowed to use them; allow it in the address bar and try again.", NotFoundError: "This device has no microphone or camera that could be used." };
    throw new Problem(0, why[error.name] ?? "The microphone or the camera could not be opened; is another program using it?");
  }
}

export class Capture {
  constructor(stream) {
    this.stream = stream;
    // Not where we stop it ourselves.
    for (const track of stream.getTracks()) {
      track.addEventListener("ended", () => { this.failure = new Problem(0, "The microphone or the camera is gone; the recording has ended."); this.stop(); });
    }
  }

  async start(id, onEnd) {
    this.onEnd = onEnd;
    this.socket = liveSocket(id);
    await new Promise((resolve, reject) => {
      this.socket.addEventListener("message", (message) => {
        const told = JSON.parse(message.data);
        if (told.error) reject(this.failure = new Problem(0, told.error));
        else resolve();
      });
      this.socket.addEventListener("close", () => {
        if (this.stopped) resolve(); else reject(new Problem(0, "The connection broke before it began."));
        this.close();
      });
    });
    // Who has left meanwhile is not recorded.
    if (!this.stream.active) return;
    this.begun = performance.now();
    if (this.stream.getAudioTracks().length) await this.hear();
    if (this.stream.getVideoTracks().length) await this.see();
  }

  elapsed() { return this.begun === undefined ? 0 : (performance.now() - this.begun) / 1000; }

  async hear() {
    const source = this.openSound();
    await this.audio.audioWorklet.addModule("/assets/recorder.js");
    let heard;
    const node = new AudioWorkletNode(this.audio, "recorder", { numberOfOutputs: 0 });
    node.port.onmessage = ({ data }) => {
      byId("level").value = data.level;
      const count = (data.pcm.byteLength - HEADER) / 2;
      // By its samples, which come evenly, whenever this thread gets to see them.
      heard ??= Math.max(0, Math.round(this.elapsed() * RATE_HZ) - count);
      this.send(0, heard / RATE_HZ, new Uint8Array(data.pcm));
      heard += count;
    };
    source.connect(node);
  }

  // Some browsers convert what the microphone gives; others want its own rate, and the recorder converts.
  openSound() {
    for (const options of [{ sampleRate: RATE_HZ }, {}]) {
      this.audio?.close();
      this.audio = new AudioContext(options);
      try { return this.audio.createMediaStreamSource(this.stream); } catch (error) { if (error.name !== "NotSupportedError") throw error; }
    }
    throw new Problem(0, "This browser cannot record from this microphone; try another one.");
  }

  async see() {
    const video = byId("preview");
    video.srcObject = this.stream;
    await video.play();
    const canvas = document.createElement("canvas");
    const scale = Math.min(1, LONGEST_SIDE / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    const context = canvas.getContext("2d");
    this.timer = setInterval(() => {
      const at = this.elapsed();
      context.drawImage(video, 0, 0, canvas.width, canvas.height);
      canvas.toBlob(async (blob) => this.sendPicture(at, await blob.arrayBuffer()), "image/jpeg", 0.85);
    }, 1000 / FRAMES_PER_S);
  }

  sendPicture(at, jpeg) {
    const data = new Uint8Array(HEADER + jpeg.byteLength);
    data.set(new Uint8Array(jpeg), HEADER);
    this.send(1, at, data);
  }

  // What it is, and the second at which it begins, go into its header.
  send(kind, at, data) {
    data[0] = kind;
    new DataView(data.buffer).setFloat64(1, at, true);
    // What cannot be sent now is a live view's past: better a gap than a delay that grows.
    if (this.socket.readyState === WebSocket.OPEN && this.socket.bufferedAmount < 2e6) this.socket.send(data);
  }

  stop() {
    this.stopped = true;
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ end: true }));
    else this.socket?.close();
    this.release();
  }

  release() {
    clearInterval(this.timer);
    this.audio?.close();
    this.audio = undefined;
    for (const track of this.stream.getTracks()) track.stop();
    const preview = byId("preview");
    if (preview.srcObject === this.stream) preview.srcObject = null;
  }

  // What fails from then on has its reason already, or needs none.
  get over() { return this.stopped || (this.closed && this.begun !== undefined); }

  close() {
    this.closed = true;
    this.release();
    if (!this.stopped && this.begun !== undefined) this.failure ??= new Problem(0, "The connection broke; nothing is recorded any more.");
    this.onEnd(this.failure);
  }
}

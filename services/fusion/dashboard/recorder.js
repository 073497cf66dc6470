// Runs on the audio thread: floats in, blocks of signed 16-bit samples at 16 kHz out, a tenth of a second each, with room for a header.
const RATE_HZ = 16000;
// How far to either side a sample is made from, in samples of the slower rate.
const REACH = 16;
const CUTOFF = 0.92;

// From the context's rate to 16 kHz by a windowed sinc (Smith, "Digital Audio Resampling", 1984).
class Resampler {
  constructor() {
    this.step = sampleRate / RATE_HZ;
    this.width = Math.max(1, this.step);
    this.reach = Math.ceil(REACH * this.width);
    this.past = new Array(2 * this.reach).fill(0);
    this.at = this.reach;
  }

  *convert(samples) {
    if (this.step === 1) { yield* samples; return; }
    this.past.push(...samples);
    for (; this.at + this.reach < this.past.length; this.at += this.step) yield this.sample(this.at);
    const done = Math.floor(this.at) - this.reach;
    this.past.splice(0, done);
    this.at -= done;
  }

  sample(at) {
    let sum = 0;
    for (let place = Math.ceil(at - this.reach); place <= at + this.reach; place += 1) {
      const x = (place - at) / this.width;
      const angle = Math.PI * CUTOFF * x;
      sum += this.past[place] * (x === 0 ? CUTOFF : (CUTOFF * Math.sin(angle)) / angle) * (0.5 + 0.5 * Math.cos((Math.PI * x) / REACH));
    }
    return sum / this.width;
  }
}

class Recorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler();
    this.block = new Int16Array(1600);
    this.filled = 0;
    this.loudest = 0;
  }

  process([[channel]]) {
    for (const sample of this.resampler.convert(channel ?? [])) {
      this.block[this.filled] = Math.max(-1, Math.min(1, sample)) * 32767;
      this.filled += 1;
      this.loudest = Math.max(this.loudest, Math.abs(sample));
      if (this.filled === this.block.length) this.give();
    }
    return true;
  }

  give() {
    const pcm = new Uint8Array(9 + this.block.byteLength);
    pcm.set(new Uint8Array(this.block.buffer), 9);
    this.port.postMessage({ pcm: pcm.buffer, level: this.loudest }, [pcm.buffer]);
    this.filled = 0;
    this.loudest = 0;
  }
}
registerProcessor("recorder", Recorder);

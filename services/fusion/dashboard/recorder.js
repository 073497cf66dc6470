// Runs on the audio thread: floats in, blocks of signed 16-bit samples out, a tenth of a second each, with room for a header.
class Recorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Int16Array(1600);
    this.filled = 0;
    this.loudest = 0;
  }

  process([[channel]]) {
    for (const sample of channel ?? []) {
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

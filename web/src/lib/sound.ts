/** A short, calm sound for an alert; made here, so that nothing is fetched. */

const NOTES_HZ = [660, 495];
const NOTE_S = 0.22;

let context: AudioContext | null = null;

/** Play the sound. Call it once on a click first: browsers allow sound only after one. */
export async function chime(): Promise<void> {
  context ??= new AudioContext();
  await context.resume();
  NOTES_HZ.forEach((hz, i) => note(context as AudioContext, hz, i * NOTE_S));
}

function note(audio: AudioContext, hz: number, delayS: number): void {
  const begin = audio.currentTime + delayS;
  const tone = audio.createOscillator();
  const gain = audio.createGain();
  tone.frequency.value = hz;
  gain.gain.setValueAtTime(0, begin);
  gain.gain.linearRampToValueAtTime(0.2, begin + 0.02);
  gain.gain.exponentialRampToValueAtTime(0.001, begin + NOTE_S);
  tone.connect(gain).connect(audio.destination);
  tone.start(begin);
  tone.stop(begin + NOTE_S);
}

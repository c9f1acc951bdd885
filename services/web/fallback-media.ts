import { hueOf } from './hue.ts';

/** Pictures and sounds for a person without camera or microphone. Each is one track, ended by `stop`. */

export interface DrawnPicture {
  readonly track: MediaStreamTrack;
  stop(): void;
}

const WIDTH = 480;
const HEIGHT = 270;
const FRAMES_PER_S = 12;

/** A beacon that burns under the person's name. */
export function drawBeacon(name: string): DrawnPicture {
  const hue = hueOf(name);
  return drawPicture((context, timeS) => {
    paintSky(context, hue);
    paintRidge(context, 165, 26, timeS * 5, `hsl(${hue} 34% 17%)`);
    paintRidge(context, 205, 18, timeS * 11, `hsl(${hue} 38% 12%)`);
    paintTower(context, WIDTH / 2, 216, 1.15, timeS);
    paintRidge(context, 238, 8, timeS * 20, `hsl(${hue} 42% 8%)`);
    context.fillStyle = '#f3ece0';
    context.font = '600 26px system-ui, sans-serif';
    context.textAlign = 'center';
    context.fillText(shorten(name, 24), WIDTH / 2, 46);
  });
}

/** A line of beacons along which a signal runs. */
export function drawBeaconLine(name: string): DrawnPicture {
  const hue = hueOf(`${name}, again`);
  const towers = [
    [60, 190, 0.4],
    [165, 165, 0.5],
    [285, 200, 0.62],
    [410, 180, 0.8],
  ] as const;
  return drawPicture((context, timeS) => {
    paintSky(context, hue);
    paintRidge(context, 190, 30, 40, `hsl(${hue} 30% 15%)`);
    const way = (timeS * 0.35) % 1;
    for (const [index, [x, y, size]] of towers.entries()) {
      paintTower(context, x, y, size, timeS + index, way * towers.length >= index ? 1 : 0.15);
    }
    context.strokeStyle = 'rgb(255 200 87 / 0.9)';
    context.lineWidth = 2;
    context.setLineDash([6, 8]);
    context.lineDashOffset = -timeS * 60;
    context.beginPath();
    for (const [x, y, size] of towers) context.lineTo(x, y - 86 * size);
    context.stroke();
    context.setLineDash([]);
    paintRidge(context, 244, 7, timeS * 14, `hsl(${hue} 40% 8%)`);
  });
}

/** A soft tone that swells and fades, on a pitch of the pentatonic scale: many of them sound well together. */
export function playTone(name: string): DrawnPicture & { readonly context: AudioContext } {
  // Nobody waits for this sound, so it may be made in large pieces.
  const context = new AudioContext({ latencyHint: 'playback' });
  const pitch = [261.6, 293.7, 329.6, 392, 440][hueOf(name) % 5] ?? 440;
  const oscillator = new OscillatorNode(context, { frequency: pitch, type: 'sine' });
  const volume = new GainNode(context, { gain: 0.03 });
  const swell = new OscillatorNode(context, { frequency: 0.25 });
  const depth = new GainNode(context, { gain: 0.02 });
  const target = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
  oscillator.connect(volume).connect(target);
  swell.connect(depth).connect(volume.gain);
  oscillator.start();
  swell.start();
  const track = firstTrack(target.stream);
  return {
    context,
    track,
    stop() {
      track.stop();
      void context.close();
    },
  };
}

type Painter = (context: CanvasRenderingContext2D, timeS: number) => void;

function drawPicture(paint: Painter): DrawnPicture {
  const canvas = document.createElement('canvas');
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null) throw new Error('This browser draws no pictures.');
  const draw = () => paint(context, performance.now() / 1_000);
  draw();
  // By the clock rather than by animation frames, which stop in a window that is not seen: the others still look.
  const timer = setInterval(draw, 1_000 / FRAMES_PER_S);
  const track = firstTrack(canvas.captureStream(FRAMES_PER_S));
  return {
    track,
    stop() {
      clearInterval(timer);
      track.stop();
    },
  };
}

function paintSky(context: CanvasRenderingContext2D, hue: number): void {
  const sky = context.createLinearGradient(0, 0, 0, HEIGHT);
  sky.addColorStop(0, `hsl(${hue} 45% 15%)`);
  sky.addColorStop(0.65, `hsl(${(hue + 15) % 360} 42% 36%)`);
  sky.addColorStop(1, `hsl(${(hue + 30) % 360} 60% 50%)`);
  context.fillStyle = sky;
  context.fillRect(0, 0, WIDTH, HEIGHT);
}

/** Hills that pass by. */
function paintRidge(
  context: CanvasRenderingContext2D,
  y: number,
  rise: number,
  shift: number,
  color: string,
): void {
  context.fillStyle = color;
  context.beginPath();
  context.moveTo(0, HEIGHT);
  for (let x = 0; x <= WIDTH; x += 8) {
    const at = x + shift;
    context.lineTo(x, y - rise * (Math.sin(at / 61) + 0.5 * Math.sin(at / 23 + 2)));
  }
  context.lineTo(WIDTH, HEIGHT);
  context.fill();
}

/** A beacon tower that stands at (x, y), with its fire at `heat` from 0 to 1. */
function paintTower(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  size: number,
  timeS: number,
  heat = 1,
): void {
  context.save();
  context.translate(x, y);
  context.scale(size, size);
  const glow = context.createRadialGradient(0, -92, 4, 0, -92, 90);
  glow.addColorStop(0, `rgb(255 190 90 / ${0.55 * heat})`);
  glow.addColorStop(1, 'rgb(255 120 40 / 0)');
  context.fillStyle = glow;
  context.fillRect(-100, -190, 200, 200);
  for (let tongue = 0; tongue < 5; tongue++) {
    const sway = Math.sin(timeS * 7 + tongue * 1.9) * 5;
    const height = (30 + 12 * Math.sin(timeS * 9 + tongue * 2.6)) * (0.35 + 0.65 * heat);
    const foot = (tongue - 2) * 7;
    context.fillStyle = ['#e4572e', '#ff8a3d', '#ffc857', '#ff8a3d', '#e4572e'][tongue] ?? '#ff8a3d';
    context.globalAlpha = 0.25 + 0.7 * heat;
    context.beginPath();
    context.moveTo(foot - 8, -72);
    context.quadraticCurveTo(foot - 8, -72 - height * 0.6, foot + sway, -72 - height);
    context.quadraticCurveTo(foot + 8, -72 - height * 0.5, foot + 8, -72);
    context.fill();
  }
  context.globalAlpha = 1;
  context.fillStyle = '#15131c';
  context.beginPath();
  context.moveTo(-34, 30);
  context.lineTo(-24, -62);
  context.lineTo(-30, -62);
  context.lineTo(-30, -78);
  for (let merlon = -30; merlon < 30; merlon += 15) {
    context.lineTo(merlon, -78);
    context.lineTo(merlon + 8, -78);
    context.lineTo(merlon + 8, -71);
    context.lineTo(merlon + 15, -71);
  }
  context.lineTo(30, -78);
  context.lineTo(30, -62);
  context.lineTo(24, -62);
  context.lineTo(34, 30);
  context.fill();
  context.restore();
}

function shorten(text: string, charsMax: number): string {
  const letters = [...text];
  return letters.length <= charsMax ? text : `${letters.slice(0, charsMax - 1).join('')}…`;
}

function firstTrack(stream: MediaStream): MediaStreamTrack {
  const [track] = stream.getTracks();
  if (track === undefined) throw new Error('The stream has no track.');
  return track;
}

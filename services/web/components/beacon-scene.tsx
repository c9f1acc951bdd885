import { Fire, Smoke, Tower } from './fire.tsx';

/** The wall at night, its fires lit one after the other from the far hills to the near. By day they smoke. */
export function BeaconScene() {
  return (
    <svg class="scene" viewBox="0 0 1440 900" preserveAspectRatio="xMidYMax slice" aria-hidden="true">
      <defs>
        <linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">
          <stop class="sky-top" offset="0" />
          <stop class="sky-middle" offset="0.36" />
          <stop class="sky-low" offset="0.68" />
        </linearGradient>
        <radialGradient id="glow">
          <stop class="glow-core" offset="0" />
          <stop class="glow-rim" offset="1" />
        </radialGradient>
      </defs>
      <rect width="1440" height="900" fill="url(#sky)" />
      <g class="stars">
        {STARS.map(([x, y, radius]) => (
          <circle key={x} cx={x} cy={y} r={radius} />
        ))}
      </g>
      <circle class="moon" cx="1130" cy="150" r="46" />
      <path
        class="ridge far"
        d="M0 560c90-40 150-90 240-70s120 60 210 20 150-110 250-100 130 80 220 60 140-80 240-70 180 70 280 40v460H0z"
      />
      <Beacon x={712} y={408} scale={0.42} order={0} ridge="far" />
      <path
        class="ridge middle"
        d="M0 660c120-60 210-20 310-50s170-110 290-90 170 100 280 60 170-120 280-100 190 110 280 70v350H0z"
      />
      <path class="wall" d="M600 520c120 10 170 100 280 60s170-120 280-100 190 110 280 70" pathLength="100" />
      <Beacon x={868} y={545} scale={0.72} order={1} ridge="middle" />
      <path
        class="ridge near"
        d="M0 790c150-50 260-70 400-30s240 40 380-10 220-120 340-110 210 80 320 60v210H0z"
      />
      <path class="wall near" d="M780 750c140-50 220-120 340-110s210 80 320 60" pathLength="100" />
      <Beacon x={1148} y={592} scale={1.25} order={2} ridge="near" />
      <path class="ridge front" d="M0 870c240-40 420-50 700-20s520 10 740-30v90H0z" />
    </svg>
  );
}

function Beacon(props: { x: number; y: number; scale: number; order: number; ridge: string }) {
  const { x, y, scale, order, ridge } = props;
  return (
    <g transform={`translate(${x} ${y}) scale(${scale})`}>
      <g class="fire" style={{ '--order': order }}>
        <circle class="glow" r="110" cy="-24" fill="url(#glow)" />
        <Smoke />
        <Fire />
      </g>
      <Tower ridge={ridge} />
    </g>
  );
}

const STARS: readonly (readonly [x: number, y: number, radius: number])[] = [
  [60, 90, 1.4],
  [142, 210, 1],
  [233, 60, 1.2],
  [318, 160, 1.6],
  [402, 290, 1],
  [455, 80, 1.1],
  [531, 190, 1.5],
  [604, 50, 1],
  [668, 250, 1.2],
  [735, 120, 1.7],
  [802, 280, 1],
  [861, 70, 1.3],
  [934, 200, 1],
  [1008, 90, 1.2],
  [1041, 300, 1.4],
  [1215, 260, 1],
  [1264, 70, 1.5],
  [1322, 190, 1.1],
  [1389, 110, 1.4],
];

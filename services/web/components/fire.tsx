/** A tower and its fire, which by day is smoke. Both stand on the origin of their drawing. */
export function Tower({ ridge = '' }: { ridge?: string }) {
  return <path class={`tower ${ridge}`} d="M-20 60L-14 0h-4v-11h7v5h7v-5h8v5h7v-5h7v11h-4l6 60z" />;
}

export function Fire() {
  return (
    <>
      <path class="flame outer" d="M-11-8c-5-16 6-20 4-36 9 6 9 14 10 19 2-4 2-7 1-11 8 8 12 18 6 28z" />
      <path class="flame inner" d="M-6-8c-2-9 4-11 4-20 5 5 6 9 6 13 3 3 3 5 1 7z" />
    </>
  );
}

export function Smoke() {
  return (
    <path
      class="smoke"
      d="M-3-8c-13-28 11-42-2-74s17-50 4-88 20-56 8-96c22 38-4 62 9 98s-15 50-3 86-13 50-4 74z"
    />
  );
}

interface TotalProps {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly note?: string;
}

/** One figure of a row of them (a `dl.totals`), large enough to be seen from afar. */
export function Total({ name, label, value, note }: TotalProps) {
  return (
    <div data-testid={`total-${name}`}>
      <dt>{label}</dt>
      <dd>
        <b>{value}</b>
        {note !== undefined && <span class="quiet">{note}</span>}
      </dd>
    </div>
  );
}

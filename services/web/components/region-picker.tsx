import type { MeasuredRegion } from '@fenghuo/client';
import { milliseconds } from '../milliseconds.ts';
import type { Strings } from '../strings.ts';
import { useStore, useStrings } from './store-context.ts';

/** Where to enter the cluster: at the nearest region, unless one chooses another. Not there where there is no choice. */
export function RegionPicker() {
  const store = useStore();
  const strings = useStrings();
  const [nearest, ...others] = store.regions.value;
  if (nearest === undefined || others.length === 0) return null;
  const chosen = store.regions.value.find(({ name }) => name === store.region.value);
  return (
    <label>
      <span>{strings.region}</span>
      <select
        data-testid="region"
        value={chosen?.name ?? ''}
        onChange={(event) => store.chooseRegion(event.currentTarget.value || undefined)}
        aria-describedby="region-hint"
      >
        <option value="">{strings.nearest(distance(nearest, strings))}</option>
        {store.regions.value.map((region) => (
          <option key={region.name} value={region.name}>
            {distance(region, strings)}
          </option>
        ))}
      </select>
      <small id="region-hint">{strings.regionHint}</small>
    </label>
  );
}

function distance({ name, roundTripMs }: MeasuredRegion, strings: Strings): string {
  return `${name} · ${roundTripMs === undefined ? strings.noAnswer : milliseconds(roundTripMs)}`;
}

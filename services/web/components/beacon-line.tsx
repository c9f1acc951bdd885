import { hueOf } from '../hue.ts';
import { Fire, Tower } from './fire.tsx';
import { useStore, useStrings } from './store-context.ts';

/** The room's nodes as towers, with the people at each. A spark runs along whenever a signal crosses between nodes. */
export function BeaconLine() {
  const { here, self, peers, log } = useStore();
  const strings = useStrings();
  const people = [...(self.value === undefined ? [] : [self.value]), ...peers.value.map(({ peer }) => peer)];
  const towers = new Map<string, { region: string; people: typeof people }>();
  for (const person of people) {
    const tower = towers.get(person.node) ?? { region: person.region, people: [] };
    tower.people.push(person);
    towers.set(person.node, tower);
  }
  const crossing = log.value.findLast((line) => line.isAcrossNodes);
  return (
    <ol class="beacon-line" aria-label={strings.beaconLine}>
      {[...towers].map(([node, { region, people }]) => (
        <li key={node} class={node === here.value?.node ? 'beacon here' : 'beacon'}>
          <svg viewBox="-26 -50 52 78" aria-hidden="true">
            <Fire />
            <Tower />
          </svg>
          <b>{node}</b>
          <span class="quiet">{region}</span>
          <span class="crowd">
            {people.map((person) => (
              <span key={person.id} class="face" title={person.name} style={{ '--hue': hueOf(person.name) }}>
                {[...person.name][0] ?? '·'}
              </span>
            ))}
          </span>
        </li>
      ))}
      {crossing !== undefined && towers.size > 1 && (
        <li key={crossing.key} class={`crossing ${crossing.direction}`} aria-hidden="true" />
      )}
    </ol>
  );
}

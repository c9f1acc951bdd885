import type { Peer } from '@fenghuo/protocol';
import { useRef } from 'preact/hooks';
import { hueOf } from '../../hue.ts';
import { KINDS, ROLES, remove, say, setMuted, setRole } from '../orders.ts';
import { useFocusHandedOn } from './focus-home.ts';
import { useStore, useStrings } from './store-context.ts';

export function PeopleTable({ room, people }: { room: string; people: readonly Peer[] }) {
  const strings = useStrings();
  if (people.length === 0) return <p class="quiet">{strings.nobodyHere}</p>;
  return (
    <table class="people" data-testid="people">
      <thead>
        <tr>
          <th scope="col">{strings.person}</th>
          <th scope="col">{strings.connection}</th>
          <th scope="col">{strings.role}</th>
          <th scope="col">{strings.muted}</th>
          <th scope="col">
            <span class="unseen">{strings.actions}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {people.map((person) => (
          <PersonRow key={person.id} room={room} person={person} />
        ))}
      </tbody>
    </table>
  );
}

function PersonRow({ room, person }: { room: string; person: Peer }) {
  const store = useStore();
  const strings = useStrings();
  const row = useRef<HTMLTableRowElement>(null);
  useFocusHandedOn(row);
  const { id, name, role, connected, node, region } = person;
  return (
    <tr ref={row} data-testid="person" data-peer={id} data-name={name} style={{ '--hue': hueOf(name) }}>
      <th scope="row">{name}</th>
      <td data-label={strings.connection}>
        <span class="state" data-state={connected ? 'ready' : 'away'}>
          {connected ? strings.connected : strings.away}
        </span>{' '}
        <small class="quiet" title={region}>
          {node}
        </small>
      </td>
      <td data-label={strings.role}>
        <select
          aria-label={strings.roleOf(name)}
          data-testid="role"
          value={role}
          onChange={(event) => {
            const wanted = ROLES.find((each) => each === event.currentTarget.value);
            event.currentTarget.value = role; // Until it is so.
            if (wanted !== undefined && wanted !== role) store.order(setRole(room, person, wanted));
          }}
        >
          {ROLES.map((each) => (
            <option key={each} value={each}>
              {strings.roles[each]}
            </option>
          ))}
        </select>
      </td>
      <td data-label={strings.muted}>
        <MuteButtons room={room} person={person} />
      </td>
      <td class="doing">
        <button
          type="button"
          class="plain"
          aria-label={strings.messageTo(name)}
          data-testid="say-to"
          onClick={() => store.order(say(room, person))}
        >
          {strings.message}
        </button>
        <button
          type="button"
          class="plain grave"
          aria-label={strings.kickPerson(name)}
          data-testid="kick"
          onClick={() => store.order(remove('kick', room, person))}
        >
          {strings.kick}
        </button>
        <button
          type="button"
          class="plain grave"
          aria-label={strings.banPerson(name)}
          data-testid="ban"
          onClick={() => store.order(remove('ban', room, person))}
        >
          {strings.ban}
        </button>
      </td>
    </tr>
  );
}

/** A button a kind, pressed while it is muted. A listener is muted by the role: there the buttons rest. */
function MuteButtons({ room, person }: { room: string; person: Peer }) {
  const store = useStore();
  const strings = useStrings();
  const { name, role, muted } = person;
  return (
    <span class="kinds">
      {KINDS.map((kind) => {
        const isMuted = muted.includes(kind);
        const label = strings.kinds[kind];
        return (
          <button
            key={kind}
            type="button"
            class="kind"
            aria-pressed={isMuted}
            aria-label={strings.muteKind(label, name)}
            data-testid={`mute-${kind}`}
            disabled={role === 'listener'}
            onClick={() => store.order(setMuted(room, person, kind))}
          >
            {label}
          </button>
        );
      })}
    </span>
  );
}

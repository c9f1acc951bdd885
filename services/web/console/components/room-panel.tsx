import { useEffect, useRef } from 'preact/hooks';
import type { OpenRoom } from '../console-store.ts';
import { figure } from '../figures.ts';
import { announce, close, muteAll, say, setLocked } from '../orders.ts';
import { linkTo } from '../place.ts';
import { PeopleTable } from './people-table.tsx';
import { useStore, useStrings } from './store-context.ts';

/** One room: what may be done to it, and who is there. */
export function RoomPanel({ open }: { open: OpenRoom }) {
  const strings = useStrings();
  const title = useRef<HTMLHeadingElement>(null);
  // On a narrow window the panel takes the list's place: whoever opened it starts from its top.
  useEffect(() => title.current?.focus({ preventScroll: true }), []);
  return (
    <section class="card room" aria-labelledby="room-title" data-testid="open-room" data-state={open.state}>
      <a class="back" href={linkTo({ view: 'rooms' })}>
        ← {strings.backToRooms}
      </a>
      <div class="head">
        <h2 id="room-title" ref={title} data-home tabIndex={-1}>
          {open.state === 'there' ? open.room.name : open.id}
        </h2>
        {open.state === 'there' && <RoomFacts open={open} />}
      </div>
      {open.state === 'gone' && (
        <p class="quiet" role="status">
          {strings.roomGone}
        </p>
      )}
      {open.state === 'there' && (
        <>
          <RoomActions open={open} />
          <PeopleTable room={open.id} people={open.peers} />
        </>
      )}
    </section>
  );
}

type RoomThere = Extract<OpenRoom, { state: 'there' }>;

function RoomFacts({ open: { room } }: { open: RoomThere }) {
  const strings = useStrings();
  return (
    <span class="facts quiet">
      <span>{room.home}</span>
      <span data-testid="room-people">
        {strings.occupancy(figure(room.connected), figure(room.peers), figure(room.peers_max))}
      </span>
      <span class="state" data-testid="room-lock" data-state={room.locked ? 'locked' : 'open'}>
        {room.locked ? strings.locked : strings.open}
      </span>
    </span>
  );
}

function RoomActions({ open: { id, room, peers } }: { open: RoomThere }) {
  const store = useStore();
  const strings = useStrings();
  return (
    <div class="room-actions" role="toolbar" aria-label={strings.roomActions}>
      <button
        type="button"
        class="plain"
        data-testid="lock"
        onClick={() => store.order(setLocked(id, !room.locked))}
      >
        {room.locked ? strings.unlock : strings.lock}
      </button>
      <button
        type="button"
        class="plain"
        data-testid="mute-all"
        onClick={() => store.order(muteAll(id, peers.length))}
      >
        {strings.muteAll}
      </button>
      <button type="button" class="plain" data-testid="say" onClick={() => store.order(say(id))}>
        {strings.sayToRoom}
      </button>
      <button
        type="button"
        class="plain"
        data-testid="announce-room"
        onClick={() => store.order(announce(store.nodes.value, { room: id }))}
      >
        {strings.announceToRoom}
      </button>
      <button
        type="button"
        class="plain grave"
        data-testid="close-room"
        onClick={() => store.order(close(id, peers.length))}
      >
        {strings.closeRoom}
      </button>
    </div>
  );
}

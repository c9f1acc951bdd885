import { ROOM_NAME_CHARS_MAX } from '@fenghuo/protocol';
import { roomLink } from '../console-store.ts';
import { figure } from '../figures.ts';
import { RoomPanel } from './room-panel.tsx';
import { useStore, useStrings } from './store-context.ts';

/** Rooms, largest first, beside the one that is open. */
export function RoomsView() {
  const { openRoom } = useStore();
  const strings = useStrings();
  const open = openRoom.value;
  return (
    <div class="rooms-view" data-open={open !== undefined}>
      <RoomList openId={open?.id} />
      {open === undefined ? (
        <p class="card quiet pick-room">{strings.pickRoom}</p>
      ) : (
        <RoomPanel key={open.id} open={open} />
      )}
    </div>
  );
}

function RoomList({ openId }: { openId: string | undefined }) {
  const store = useStore();
  const strings = useStrings();
  const page = store.roomsPage.value;
  const rooms = page?.rooms ?? [];
  return (
    <section class="card room-list" aria-labelledby="rooms-title">
      <div class="head">
        <h2 id="rooms-title">{strings.rooms}</h2>
        <span class="quiet" data-testid="room-count" role="status">
          {page !== undefined && strings.roomCount(figure(page.total))}
        </span>
      </div>
      <search class="tools">
        <label>
          <span>{strings.filterRooms}</span>
          <input
            type="search"
            data-testid="filter"
            autocomplete="off"
            autocapitalize="none"
            maxLength={ROOM_NAME_CHARS_MAX}
            spellcheck={false}
            value={store.filter.value}
            onInput={(event) => store.setFilter(event.currentTarget.value)}
          />
        </label>
        <label>
          <span>{strings.sortRooms}</span>
          <select
            data-testid="sort"
            value={store.sort.value}
            onChange={(event) => store.setSort(event.currentTarget.value === 'name' ? 'name' : 'size')}
          >
            <option value="size">{strings.bySize}</option>
            <option value="name">{strings.sortByName}</option>
          </select>
        </label>
      </search>
      <table data-testid="rooms">
        <thead>
          <tr>
            <th scope="col">{strings.room}</th>
            <th scope="col" class="number">
              {strings.people}
            </th>
            <th scope="col" class="number">
              {strings.seats}
            </th>
            <th scope="col">{strings.state}</th>
          </tr>
        </thead>
        <tbody>
          {page !== undefined && rooms.length === 0 && (
            <tr>
              <td colSpan={4} class="quiet">
                {page.next_cursor !== undefined
                  ? strings.noneOnPage
                  : page.query.filter === ''
                    ? strings.noRooms
                    : strings.noRoomMatches}
              </td>
            </tr>
          )}
          {rooms.map((room) => (
            <tr key={room.id} data-testid="room" data-room={room.id}>
              <th scope="row">
                <a href={roomLink(room)} aria-current={room.id === openId ? 'true' : undefined}>
                  {room.name}
                </a>{' '}
                <small class="quiet">{room.home}</small>
              </th>
              <td class="number">{strings.connectedOf(figure(room.connected), figure(room.peers))}</td>
              <td class="number">{figure(room.peers_max)}</td>
              <td>
                <span class="state" data-state={room.locked ? 'locked' : 'open'}>
                  {room.locked ? strings.locked : strings.open}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Pages />
    </section>
  );
}

function Pages() {
  const store = useStore();
  const strings = useStrings();
  const number = store.cursors.value.length + 1;
  const isLast = store.nextCursor.value === undefined;
  if (number === 1 && isLast) return null;
  return (
    <nav class="pages" aria-label={strings.pages}>
      <button
        type="button"
        class="plain"
        data-testid="previous"
        aria-disabled={number === 1}
        onClick={() => store.previousPage()}
      >
        {strings.previousPage}
      </button>
      <span data-testid="page">{strings.page(number)}</span>
      <button
        type="button"
        class="plain"
        data-testid="next"
        aria-disabled={isLast}
        onClick={() => store.nextPage()}
      >
        {strings.nextPage}
      </button>
    </nav>
  );
}

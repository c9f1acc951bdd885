/** What the console shows, as its address after the `#` says: so that Back works, and a link leads to a room. */
export type Place =
  | { readonly view: 'nodes' | 'events' }
  | { readonly view: 'rooms'; readonly room?: string };

export function readPlace(hash: string): Place {
  const [, view, room] = /^#\/(rooms|events)(?:\/(.+))?$/.exec(hash) ?? [];
  if (view !== 'rooms') return { view: view === 'events' ? 'events' : 'nodes' };
  const name = room === undefined ? undefined : decoded(room);
  return name === undefined ? { view: 'rooms' } : { view: 'rooms', room: name };
}

export function linkTo(place: Place): string {
  if (place.view !== 'rooms') return `#/${place.view}`;
  return place.room === undefined ? '#/rooms' : `#/rooms/${encodeURIComponent(place.room)}`;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

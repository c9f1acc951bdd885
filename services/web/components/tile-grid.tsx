import { useEffect, useRef, useState } from 'preact/hooks';
import { hasHandUp, hasTurnedOn, mayActOn } from '../room-rules.ts';
import { PersonMenu } from './person-menu.tsx';
import { useStore, useStrings } from './store-context.ts';
import { Tile } from './tile.tsx';

/** Everyone's pictures, as large as the room for them allows. */
export function TileGrid() {
  const store = useStore();
  const strings = useStrings();
  const { self, peers, media, secondPicture, isCameraOn, isMicrophoneOn, isHandUp, stats } = store;
  const grid = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });

  useEffect(() => {
    if (grid.current === null) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) setSize(entry.contentRect);
    });
    observer.observe(grid.current);
    return () => observer.disconnect();
  }, []);

  const tiles = [
    <Tile
      key="self"
      id={self.value?.id ?? 'self'}
      name={self.value?.name ?? store.name.value}
      place={self.value && strings.onNode(self.value.node, self.value.region)}
      stream={media.value?.stream}
      isOwn
      isMirrored={media.value?.isCameraReal ?? false}
      isCameraOn={isCameraOn.value}
      isMicrophoneOn={isMicrophoneOn.value}
      muted={self.value?.muted}
      role={self.value?.role}
      isHandUp={isHandUp.value}
    />,
    secondPicture.value && (
      <Tile
        key="self-second"
        id={self.value?.id ?? 'self'}
        name={strings.secondOf(self.value?.name ?? '')}
        stream={secondPicture.value}
        isOwn
        isSecond
      />
    ),
    ...peers.value.flatMap(({ peer, link, streams }) => {
      const main = (
        <Tile
          key={peer.id}
          id={peer.id}
          name={peer.name}
          place={strings.onNode(peer.node, peer.region)}
          stream={streams[0]}
          ice={link?.ice}
          isCameraOn={hasTurnedOn(peer, 'camera')}
          isMicrophoneOn={hasTurnedOn(peer, 'microphone')}
          muted={peer.muted}
          role={peer.role}
          isHandUp={hasHandUp(peer)}
          menu={mayActOn(self.value, peer) && <PersonMenu peer={peer} />}
          isConnected={peer.connected}
          isHeard={(stats.value.get(peer.id)?.audioLevel ?? 0) > HEARD_LEVEL}
        />
      );
      const more = streams
        .slice(1)
        .map((stream) => (
          <Tile
            key={stream.id}
            id={peer.id}
            name={strings.secondOf(peer.name)}
            stream={stream}
            ice={link?.ice}
            isSecond
          />
        ));
      return [main, ...more];
    }),
  ].filter((tile) => tile !== undefined);

  const tile = largestTile(tiles.length, size.width, size.height);
  return (
    <div
      class="grid"
      ref={grid}
      data-testid="grid"
      data-count={tiles.length}
      style={{ '--tile-width': `${tile.width}px`, '--tile-height': `${tile.height}px` }}
    >
      {tiles}
      {peers.value.length === 0 && store.connection.value.phase === 'connected' && (
        <div class="alone">
          <b>{strings.aloneTitle}</b>
          <span>{strings.aloneText}</span>
        </div>
      )}
    </div>
  );
}

const GAP_PX = 10;

/** Above the tone of a person without a microphone. */
const HEARD_LEVEL = 0.07;

/** The size at which `count` pictures fill an area best. They may be cropped a little, more so on an upright phone. */
export function largestTile(count: number, width: number, height: number): { width: number; height: number } {
  const narrowest = width < height ? 0.8 : 4 / 3;
  let best = { width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const cellWidth = (width - (columns - 1) * GAP_PX) / columns;
    const cellHeight = (height - (rows - 1) * GAP_PX) / rows;
    const ratio = Math.min(16 / 9, Math.max(narrowest, cellWidth / cellHeight));
    const tileWidth = Math.floor(Math.min(cellWidth, cellHeight * ratio));
    const tile = { width: tileWidth, height: Math.floor(tileWidth / ratio) };
    if (tile.width * tile.height > best.width * best.height) best = tile;
  }
  return best;
}

import { useStore, useStrings } from './store-context.ts';

/** The button that enters is described by it. */
export const FOREIGN_NODES_ID = 'foreign-nodes';

/** Names the servers of a link that the page did not come from, before anything is sent there. */
export function ForeignNodes() {
  const { foreignNodes } = useStore().address;
  const strings = useStrings();
  if (foreignNodes.length === 0) return null;
  return (
    <div
      class="notice foreign"
      id={FOREIGN_NODES_ID}
      data-testid="foreign-nodes"
      data-tone="error"
      role="note"
    >
      <div>
        <p>{strings.foreignNodes(foreignNodes.length)}</p>
        <ul>
          {foreignNodes.map((node) => (
            <li key={node}>{node}</li>
          ))}
        </ul>
        <p>{strings.foreignNodesGet(foreignNodes.length)}</p>
      </div>
    </div>
  );
}

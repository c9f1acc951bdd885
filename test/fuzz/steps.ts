/** One frame of RFC 6455, whatever it is: who sends it may break every rule of it. */
export interface FrameShape {
  readonly opcode: number;
  readonly payload: string;
  /** Default true. */
  readonly fin?: boolean;
  /** RSV1 to RSV3 as a number from 0 to 7. */
  readonly rsv?: number;
  readonly masked?: boolean;
  /** The length in the header, in place of the true one. */
  readonly claims?: number;
  /** Writes the length in 16 or 64 bits where fewer would do. */
  readonly lengthBits?: 16 | 64;
  /** Only so many bytes of the frame are sent. */
  readonly cutAt?: number;
}

/** One action on a connection, or on the Redis behind it. Texts may hold references (`references.ts`). */
export type Step =
  /** An Engine.IO packet in one well-formed text message. */
  | { readonly do: 'packet'; readonly text: string }
  /** Bytes, each a character from 0 to 255, in a frame. */
  | { readonly do: 'frame'; readonly frame: FrameShape }
  /** A text message in fragments, with a frame before one of them; without its last fragment where it is not whole. */
  | {
      readonly do: 'fragments';
      readonly text: string;
      readonly count: number;
      readonly between?: { readonly at: number; readonly frame: FrameShape };
      readonly isWhole: boolean;
    }
  /** Bytes, each a character from 0 to 255, as they are. */
  | { readonly do: 'raw'; readonly bytes: string }
  /** All of them in one write. */
  | { readonly do: 'burst'; readonly steps: readonly Step[] }
  /** The same, many times in one write. */
  | { readonly do: 'repeat'; readonly times: number; readonly step: Step }
  | { readonly do: 'pause'; readonly ms: number }
  /** Waits until what was asked is answered, for half a second at most. */
  | { readonly do: 'listen' }
  /** Reads nothing for a while. */
  | { readonly do: 'deaf'; readonly ms: number }
  | { readonly do: 'redis'; readonly command: readonly string[] }
  /** Ends its side of the TCP connection. */
  | { readonly do: 'end' }
  /** Resets the TCP connection. */
  | { readonly do: 'reset' };

export const CLUSTERS = ['required', 'open'] as const;
/** A cluster's AUTH setting. */
export type ClusterName = (typeof CLUSTERS)[number];

/** The whole life of one connection, decided before it begins. */
export interface Script {
  readonly index: number;
  readonly cluster: ClusterName;
  readonly node: 0 | 1;
  /** Where it comes from, in 127.0.0.0/8. */
  readonly address: string;
  /** The HTTP request. */
  readonly head: string;
  /** In how many pieces the request is written, with pauses between. */
  readonly pieces: number;
  /** Sends the first steps before the answer to the request. */
  readonly isEager: boolean;
  readonly steps: readonly Step[];
}

const SHOWN_CHARS_MAX = 240;

/** One line for people, from which the step can be written down again unless it was too long. */
export function stepText(step: Step): string {
  switch (step.do) {
    case 'packet':
      return `packet ${shown(step.text)}`;
    case 'frame':
      return `frame ${shown(step.frame)}`;
    case 'fragments': {
      const { text, count, between, isWhole } = step;
      const within =
        between === undefined ? '' : `, before number ${between.at} frame ${shown(between.frame)}`;
      return `in ${count} fragments${isWhole ? '' : ', the last one missing'}${within}: ${shown(text)}`;
    }
    case 'raw':
      return `raw ${shown(step.bytes)}`;
    case 'burst':
      return `in one write: ${step.steps.map(stepText).join(' + ')}`;
    case 'repeat':
      return `${step.times} times in one write: ${stepText(step.step)}`;
    case 'redis':
      return `Redis ${shown(step.command)}`;
    case 'pause':
    case 'deaf':
      return `${step.do} ${step.ms} ms`;
    default:
      return step.do;
  }
}

export function scriptText(script: Script): string {
  const { index, cluster, node, address, head, pieces, isEager, steps } = script;
  const how = [
    ...(pieces > 1 ? [`in ${pieces} pieces`] : []),
    ...(isEager ? ['without waiting for the answer'] : []),
  ].join(', ');
  return [
    `connection ${index} (AUTH=${cluster}, node ${node + 1}, from ${address})`,
    `  request ${shown(head)}${how === '' ? '' : ` ${how}`}`,
    ...steps.map((step) => `  ${stepText(step)}`),
  ].join('\n');
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= SHOWN_CHARS_MAX
    ? text
    : `${text.slice(0, SHOWN_CHARS_MAX)}… (${text.length} characters)`;
}

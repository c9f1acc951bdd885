import { type Path, pathOf } from './link-plan.ts';
import { fragmentsOf } from './session-text.ts';

/** How the path to the other side stands, and how the present attempt to find one goes. Times by `performance.now`. */
export class PathWatch {
  path: Path = 'forming';
  sinceMs = performance.now();
  wasConnected = false;
  /** Restarts in vain since the path was last there. */
  tries = 0;
  /** When the attempt that is under way began; undefined: nothing was agreed on. Before all time: it has led to a path. */
  attemptAtMs: number | undefined;
  #fragment: string | undefined;
  #isNewGeneration = false;
  #hasCandidate = false;
  #hasRelay = false;

  /** Reads the connection's states, whichever of them has changed. */
  note(connection: RTCPeerConnection): void {
    const path = pathOf(connection);
    if (path === this.path) return;
    if (this.path === 'connected' || path === 'connected') this.tries = 0;
    if (path === 'connected') {
      this.wasConnected = true;
      this.attemptAtMs = Number.NEGATIVE_INFINITY;
    }
    this.path = path;
    this.sinceMs = performance.now();
  }

  /** A description of one's own was set: with other credentials it begins a generation of candidates. */
  described({ localDescription }: RTCPeerConnection): void {
    const [fragment] = fragmentsOf(localDescription?.sdp);
    if (fragment !== undefined && fragment === this.#fragment) return;
    this.#isNewGeneration = true;
    this.#begin(fragment);
  }

  /** Both descriptions are there. */
  agreed(): void {
    if (this.#isNewGeneration) this.attemptAtMs = performance.now();
    this.#isNewGeneration = false;
  }

  gathered({ candidate, usernameFragment }: RTCIceCandidate): void {
    // It may come before the description of its generation is known to be set.
    if (typeof usernameFragment === 'string' && usernameFragment !== this.#fragment) {
      this.#isNewGeneration = true;
      this.#begin(usernameFragment);
    }
    this.#hasCandidate ||= candidate !== '';
    this.#hasRelay ||= / typ relay\b/.test(candidate);
  }

  /** ICE is restarted: the attempt that begins with that is not to be cut short. */
  restarted(): void {
    this.tries++;
    this.attemptAtMs = performance.now();
  }

  /** There is nothing to try. */
  isLacking(connection: RTCPeerConnection): boolean {
    return !this.#hasCandidate || (!this.#hasRelay && asksForRelays(connection));
  }

  /** The connection is another one. */
  reset(): void {
    this.path = 'forming';
    this.sinceMs = performance.now();
    this.attemptAtMs = undefined;
    this.#begin(undefined);
  }

  #begin(fragment: string | undefined): void {
    this.#fragment = fragment;
    this.#hasCandidate = false;
    this.#hasRelay = false;
  }
}

function asksForRelays(connection: RTCPeerConnection): boolean {
  const { iceServers = [] } = connection.getConfiguration();
  return iceServers.some(({ urls }) => [urls].flat().some((url) => /^turns?:/i.test(url)));
}

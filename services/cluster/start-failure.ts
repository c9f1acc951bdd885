/** Why the cluster cannot start, as one line for people: the cause, then the cure. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
}

/** The kinds of values that a node reads from its backplane, for the metric that counts those which it could not read. */
export const READ_VALUES = [
  'adapter_message',
  'answer',
  'claim',
  'contribution',
  'directory',
  'held',
  'journal',
  'key',
  'lease',
  'order',
  'record',
  'reply',
  'ring',
  'state',
] as const;
export type ReadValue = (typeof READ_VALUES)[number];

/** A value was read that no node of ours writes. It counts as absent, or its request as `unavailable`. Never throws. */
export type OnMalformed = (what: ReadValue) => void;

import type { WireError } from '../errors.ts';
import { type JoinReply, joinRequest } from './join.ts';
import { type LeaveReply, leaveRequest } from './leave.ts';
import { type MessageReply, messageRequest } from './message.ts';
import { type ModerateReply, moderateRequest } from './moderate.ts';
import { type ResumeReply, resumeRequest } from './resume.ts';
import { type SignalReply, signalRequest } from './signal.ts';
import { type UpdateReply, updateRequest } from './update.ts';

export * from './join.ts';
export * from './leave.ts';
export * from './message.ts';
export * from './moderate.ts';
export * from './resume.ts';
export * from './signal.ts';
export * from './update.ts';

/** Every request a node knows, with the schema of its payload. */
export const REQUESTS = {
  join: joinRequest,
  resume: resumeRequest,
  leave: leaveRequest,
  signal: signalRequest,
  message: messageRequest,
  update: updateRequest,
  moderate: moderateRequest,
} as const;

export type RequestName = keyof typeof REQUESTS;
export const REQUEST_NAMES = Object.keys(REQUESTS) as RequestName[];

/** What the ok acknowledgement of each request holds, next to `ok`. */
export interface Replies {
  join: JoinReply;
  resume: ResumeReply;
  leave: LeaveReply;
  signal: SignalReply;
  message: MessageReply;
  update: UpdateReply;
  moderate: ModerateReply;
}

/** The one argument of an acknowledgement. */
export type Acknowledgement<Reply> =
  | ({ readonly ok: true } & Reply)
  | { readonly ok: false; readonly error: WireError };

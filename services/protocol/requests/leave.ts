import { z } from 'zod';
import { requestId } from '../identifiers.ts';

/** Ends the session. The connection stays and may join again, from id 1. */
export const leaveRequest = z.object({ id: requestId });
export type LeaveRequest = z.infer<typeof leaveRequest>;

export type LeaveReply = Record<never, never>;

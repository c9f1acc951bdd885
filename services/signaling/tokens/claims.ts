import { displayName, ROLES, roomAddress } from '@fenghuo/protocol';
import type { JWTPayload } from 'jose';
import { z } from 'zod';
import type { Identity } from '../domain/identity.ts';

const SUB_CHARS_MAX = 256;

const roomName = z.string().superRefine((name, context) => {
  for (const { message } of roomAddress.safeParse(name).error?.issues ?? [])
    context.addIssue({ code: 'custom', message });
});

const claims = z.object({
  sub: z
    .string('must be a string')
    .min(1, 'must not be empty')
    .max(SUB_CHARS_MAX, `must be at most ${SUB_CHARS_MAX} characters`),
  name: z.string('must be a string').pipe(displayName).optional(),
  room: z
    .union(
      [roomName.transform((name) => [name]), z.array(roomName)],
      'must be a room name, or a list of them',
    )
    .optional(),
  role: z.enum(ROLES, `must be one of ${ROLES.join(', ')}`).optional(),
  /** In seconds (RFC 7519, 4.1.4). A token without an end could not be taken back. */
  exp: z.number('must be a number of seconds'),
});

/** Reads whom a token speaks for; or says in words which of its claims is wrong, without quoting it. */
export function identityOf(payload: JWTPayload): Identity | { readonly wrong: string } {
  const parsed = claims.safeParse(payload);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { wrong: `its claim "${String(issue?.path[0])}" ${issue?.message}` };
  }
  const { sub, name, room, role, exp } = parsed.data;
  return { sub, name, rooms: room, role, expiresAtMs: exp * 1_000 };
}

import { readFileSync } from 'node:fs';

type Environment = Readonly<Record<string, string | undefined>>;

/** Settings that may lie in a file: `JWT_SECRET_FILE` names the one that holds `JWT_SECRET`. */
export const IN_FILES = [
  'JWT_SECRET',
  'JWT_PUBLIC_KEY',
  'TURN_SECRET',
  'ADMIN_TOKEN',
  'WEBHOOK_SECRET',
  'REDIS_URL',
  'REDIS_URLS',
] as const;

/** The environment with what lies in files put in, and with what could not be read named. */
export function withFiles(environment: Environment): {
  readonly settings: Record<string, string>;
  readonly faults: readonly string[];
} {
  // An empty variable counts as absent: a number made of it would be 0. A line feed at the end is a file's or a shell's.
  const settings = Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value ? [[name, value.trim() || value]] : [])),
  );
  const faults: string[] = [];
  for (const name of IN_FILES) {
    const path = settings[`${name}_FILE`];
    if (path === undefined) continue;
    if (settings[name] !== undefined) faults.push(`${name}_FILE and ${name} are both set: give one of them`);
    else {
      const text = read(path);
      if (text === undefined) faults.push(`${name}_FILE names a file that cannot be read`);
      else if (text === '') faults.push(`${name}_FILE names an empty file`);
      else settings[name] = text;
    }
  }
  return { settings, faults };
}

/** Without the line feed that editors and `echo` end a file with. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

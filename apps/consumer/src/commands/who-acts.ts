import { hostname, userInfo } from 'node:os';

/** Who is kept beside what an operator does: the login on this machine, and the machine. */
export function whoActs(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // A container's user may have no name.
    return `uid ${process.getuid?.() ?? 'unknown'}@${hostname()}`;
  }
}

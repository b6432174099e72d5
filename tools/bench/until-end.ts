import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Resolves with a program's exit status. An abort ends it, and rejects once it has ended. */
export async function untilEnd(child: ChildProcess, signal: AbortSignal): Promise<number | null> {
  const stop = () => void child.kill('SIGTERM');
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const [status] = (await once(child, 'close')) as [number | null];
    signal.throwIfAborted();
    return status;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

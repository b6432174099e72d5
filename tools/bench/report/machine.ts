import { cpus, release, totalmem, type } from 'node:os';

/** What the figures were measured on, in words; `load` is how many programs wanted a core before they were. */
export function machine(versions: readonly string[], load: number): string {
  const cores = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const system = `${type()} ${release().split('-')[0]}`;
  const tools = [...new Set([`Node ${process.versions.node}`, ...versions])].join(', ');
  return `${cores.length} × ${cores[0]?.model.trim() ?? 'unknown CPU'}, ${memory} of memory, ${system}, load ${load.toFixed(1)} before the run; ${tools}`;
}

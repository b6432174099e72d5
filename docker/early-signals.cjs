'use strict';
// Loaded before the program, which is process 1 of its container. The kernel drops a signal that process 1 has no
// handler for, so one that comes while the program is still loading would be lost, and `docker stop` would end in a
// kill. Once the program has a handler of its own, this one leaves everything to it.
for (const [signal, status] of [
  ['SIGTERM', 143],
  ['SIGINT', 130],
]) {
  process.on(signal, () => {
    if (process.listenerCount(signal) === 1) process.exit(status);
  });
}

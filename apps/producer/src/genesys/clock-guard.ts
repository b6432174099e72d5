import { clockSkewMs, type TimedAnswer } from '@genesys-kafka/http';
import type { Logger } from '@genesys-kafka/runtime';
import { clockSkew } from '../errors.ts';
import type { Settings } from '../settings.ts';

/** Once our clock was seen to be right, so many answers one after another say that it no longer is. */
const ODD_IN_A_ROW = 3;

/**
 * Holds our clock against the `Date` of answers: in a topic that takes the producer's timestamps (ours take the
 * broker's) retention deletes by it, and tokens and dead letters go by it.
 * Until one answer agrees with our clock, one that does not is a verdict, `clock-skew`; after that one odd answer is
 * none, three in a row are. An answer without a date that can be read proves nothing, and is told once for each host.
 */
export function clockGuard({ clock }: Pick<Settings, 'clock'>, log: Logger): (answer: TimedAnswer) => void {
  let isProved = false;
  let odd = 0;
  const untold = new Set<string>();
  return (answer) => {
    const skewMs = clockSkewMs(answer);
    if (skewMs === undefined) {
      if (untold.has(answer.host)) return;
      untold.add(answer.host);
      log.warn({ host: answer.host }, 'an answer has no Date that can be read: our clock cannot be held against it');
    } else if (Math.abs(skewMs) <= clock.maxSkewMs) {
      isProved = true;
      odd = 0;
    } else {
      odd += 1;
      if (!isProved || odd >= ODD_IN_A_ROW) throw clockSkew(answer.host, answer.receivedMs, skewMs, clock.maxSkewMs);
    }
  };
}

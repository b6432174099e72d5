import { GenesysError, rateHeadersOf, type GenesysClient } from '@genesys-kafka/genesys-client';
import type { TimedAnswer } from '@genesys-kafka/http';
import type { Check, CheckResult, Session } from '@genesys-kafka/runtime';
import type { ClockWitnesses } from '../genesys/clock-witnesses.ts';
import { connectGenesys } from '../genesys/connect.ts';
import type { Settings } from '../settings.ts';

type Found = Omit<CheckResult, 'check'>;

const NOT_REACHED: Found = { status: 'skipped', message: 'the login comes first' };

/** What is asked of Genesys: login and permission, until when data is available, what rate is allowed. Submits no job. */
export function genesysChecks({ settings, log, signal }: Session<Settings>, clocks: ClockWitnesses): readonly Check[] {
  const { region, apiUrl, contract, requestsPerSecond } = settings.genesys;
  if (region === undefined && apiUrl === undefined && settings.windows.fromMs === undefined) {
    const message = 'no region and no apiUrl set: only `publish` can be used';
    return [{ name: 'genesys', run: async () => ({ status: 'skipped', message }) }];
  }
  let rate: ReturnType<typeof rateHeadersOf> = 'absent';
  const see = (answer: TimedAnswer) => {
    clocks.see(answer);
    const said = rateHeadersOf(answer.headers);
    // A login is not counted, and tells nothing.
    if (said !== 'absent') rate = said;
  };
  let reached: Date | GenesysError | 'no date' | undefined;
  const login = async (): Promise<string> => {
    await using genesys = connectGenesys(settings, log, see);
    reached = contract === 'details-jobs' ? await availability(genesys, signal) : await bulkLogin(genesys, signal);
    return contract === 'details-jobs'
      ? 'logged in, with the permission analytics:conversationDetail:view'
      : 'logged in, and jobs may be looked at';
  };
  return [
    { name: 'genesys', run: login },
    ...(contract === 'bulk-archive'
      ? [{ name: 'submit', run: async () => (reached ? UNTRIED_SUBMIT : NOT_REACHED) }]
      : []),
    { name: 'availability', run: async () => (reached ? availabilityFound(reached) : NOT_REACHED) },
    { name: 'budget', run: async () => (reached ? rateFound(rate, requestsPerSecond) : NOT_REACHED) },
  ];
}

/** The date, or what is wrong with it; that an answer came at all proves login and permission. */
async function availability(genesys: GenesysClient, signal: AbortSignal): Promise<Date | GenesysError> {
  try {
    return await genesys.availability(signal);
  } catch (error) {
    if (error instanceof GenesysError && error.code === 'bad-answer' && error.details.status === 200) return error;
    throw error;
  }
}

async function bulkLogin(genesys: GenesysClient, signal: AbortSignal): Promise<'no date'> {
  await genesys.bulkArchive.tryStatus(signal);
  return 'no date';
}

const UNTRIED_SUBMIT: Found = {
  status: 'skipped',
  message:
    'a try would leave a job behind: whether analytics:conversation:view and job:manage are there shows with the first export',
};

function availabilityFound(found: Date | GenesysError | 'no date'): Found {
  if (found instanceof GenesysError) throw found;
  if (found !== 'no date') return { status: 'ok', message: `data is available until ${found.toISOString()}` };
  return { status: 'skipped', message: 'bulk-archive tells no date: a window is read once it is over' };
}

function rateFound(rate: ReturnType<typeof rateHeadersOf>, perSecond: number): Found {
  const own = `genesys.requestsPerSecond is ${perSecond}`;
  if (rate === 'absent') {
    return { status: 'warning', message: `answers tell of no limit (no inin-ratelimit headers); ${own}` };
  }
  if (rate === 'unreadable') {
    const message = `the inin-ratelimit headers cannot be read: 300 requests a minute are kept to; ${own}. Check what lies between here and Genesys`;
    return { status: 'warning', message };
  }
  const { count, allowed, resetSeconds } = rate;
  const message = `${allowed} requests are allowed in a window, ${count} are used in this one, which ends in ${resetSeconds} s; ${own}`;
  return { status: 'ok', message };
}

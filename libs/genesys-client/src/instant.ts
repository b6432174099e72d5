const INSTANT = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(?:([Zz])|([+-])(\d\d):?(\d\d)?)?$/;
const MINUTE_MS = 60_000;

/**
 * A moment as Genesys writes it, wherever it stands in an answer: an ISO 8601 date and time with `Z`, `+00:00`, `+0000`
 * or `+00`, and in UTC where no zone is named. Undefined for everything else: a number, a day alone, a date that no
 * calendar has. Whoever asks takes undefined for an error, never for "no limit".
 */
export function readInstant(value: unknown): Date | undefined {
  const parts = typeof value === 'string' ? INSTANT.exec(value.trim()) : null;
  if (!parts) return undefined;
  const [, day = '', time = '', seconds = '00', fraction = '', , sign, hours = '0', minutes = '0'] = parts;
  const [offsetHours, offsetMinutes] = [Number(hours), Number(minutes)];
  if (offsetHours > 23 || offsetMinutes > 59) return undefined;
  const text = `${day}T${time}:${seconds}.${fraction.padEnd(3, '0').slice(0, 3)}Z`;
  const written = new Date(text);
  // 30 February would be taken for 2 March.
  if (Number.isNaN(written.getTime()) || written.toISOString() !== text) return undefined;
  const offsetMs = (offsetHours * 60 + offsetMinutes) * MINUTE_MS;
  return new Date(written.getTime() - (sign === '-' ? -offsetMs : offsetMs));
}

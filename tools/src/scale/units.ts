const POWERS = [
  [1e12, 'T'],
  [1e9, 'B'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;
const BYTES = [
  [1e15, 'PB'],
  [1e12, 'TB'],
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'kB'],
] as const;

/** Two digits count: `1.2 M`, `45 M`, `630`, `0.034`. */
export function count(value: number): string {
  const rounded = Number(value.toPrecision(2));
  const unit = rounded < 1e4 ? undefined : POWERS.find(([least]) => rounded >= least);
  if (!unit) return rounded.toLocaleString('en-US', { maximumFractionDigits: 20 });
  const [power, name] = unit;
  return `${Number((rounded / power).toPrecision(2))} ${name}`;
}

/** What is no estimate. */
export function whole(value: number): string {
  return value.toLocaleString('en-US');
}

export function bytes(value: number): string {
  const rounded = Number(value.toPrecision(2));
  const [power, name] = BYTES.find(([least]) => rounded >= least) ?? ([1, 'B'] as const);
  return `${Number((rounded / power).toPrecision(2))} ${name}`;
}

/** Of settings, which are whole ones. */
export function mebibytes(value: number): string {
  return `${value / 2 ** 20} MiB`;
}

/** How full something is: in percent, and from the double on as a multiple. */
export function load(share: number): string {
  return share < 2 ? `${count(share * 100)} %` : `${count(share)} ×`;
}

/** Seconds in the largest unit that they are a whole number of, otherwise two digits of seconds. */
export function seconds(value: number): string {
  if (value >= 60 && value % 60 === 0) return value % 3600 === 0 ? `${value / 3600} h` : `${value / 60} min`;
  return `${count(value)} s`;
}

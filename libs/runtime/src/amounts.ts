export type Unit = 'bytes' | 'records';

const STEPS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** `12.3 MB` (powers of ten) or `20,000 records`. */
export function formatAmount(amount: number, unit: Unit): string {
  if (unit === 'records') return `${Math.round(amount).toLocaleString('en-GB')} records`;
  let scaled = amount;
  let step = 0;
  while (scaled >= 999.5 && step < STEPS.length - 1) {
    scaled /= 1000;
    step += 1;
  }
  return `${step === 0 ? Math.round(scaled) : scaled.toFixed(scaled < 99.95 ? 1 : 0)} ${STEPS[step]}`;
}

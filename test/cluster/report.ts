const MIB = 2 ** 20;

/** One line of a run's results, where whoever runs it sees it and can copy it. */
export function report(check: string, figures: Record<string, number | string>): void {
  const shown = Object.entries(figures).map(([name, value]) => `${name}: ${value}`);
  process.stderr.write(`${check}: ${shown.join(', ')}\n`);
}

export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`;
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}

import type { ShownSetting } from '../config/explain.js';
import { explainConfig } from '../config/read-config.js';
import { EXIT_CODES, type ExitCode } from './exit-codes.js';
import { note, print, type OutputOptions } from './output.js';

/** Throws `StartupError` when the configuration file cannot be read. */
export function configCommand(options: OutputOptions): ExitCode {
  const { settings, problems } = explainConfig();
  print(options, { settings, problems }, table(settings));
  if (options.json !== true) for (const problem of problems) note(`wrong: ${problem}`);
  return problems.length === 0 ? EXIT_CODES.ok : EXIT_CODES.failed;
}

function table(settings: readonly ShownSetting[]): string[] {
  const rows = settings.map(({ name, value, source, place }) => [name, value ?? '–', place ?? source] as const);
  const [names, values] = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map(([name, value, from]) => `${name.padEnd(names ?? 0)}  ${value.padEnd(values ?? 0)}  ${from}`);
}

export interface Suite {
  name: string;
  files: RegExp;
  using?: string;
  needs?: string[];
  env: Record<string, string>;
  workers?: number;
  minutes?: number;
}

export interface Spec {
  file: string;
  text: string;
}

export interface Plan {
  suite: Suite;
  run: string[];
  leftOut: { name: string; missing: string[] }[];
}

export const PROGRAMS: Record<string, { found: string[]; get: string; root?: boolean }>;
export const SUITES: Suite[];
export function needsOf(text: string, env?: Record<string, string>): string[];
export function planSuite(suite: Suite, specs: Spec[], has: (program: string) => boolean): Plan;

export interface JestResult {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  numRuntimeErrorTestSuites: number;
}

export function countResult(
  result: JestResult | null,
  ending: string | null,
  options?: { isFiltered?: boolean },
): { passed: number; failed: number; skipped: number };

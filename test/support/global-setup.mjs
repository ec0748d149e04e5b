import { createRunDirectory, RUN_DIRECTORY } from './run-directory.mjs';

// scripts/test.mjs makes one directory for all its suites; jest called by hand makes its own.
export default function setup() {
  if (process.env[RUN_DIRECTORY] !== undefined) return;
  process.env[RUN_DIRECTORY] = createRunDirectory();
  globalThis.ownRunDirectory = process.env[RUN_DIRECTORY];
}

import { removeRunDirectory } from './run-directory.mjs';

export default async function teardown() {
  if (globalThis.ownRunDirectory !== undefined) await removeRunDirectory(globalThis.ownRunDirectory);
}

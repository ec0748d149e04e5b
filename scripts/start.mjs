// `npm start`: installs what the lockfile pins, builds, and runs the registry on the pinned Node.
// Runs on whatever Node the machine has (18 or newer), before anything is installed: no dependencies.
// package.json says "exec node …": npm hands signals to a shell, which would end and leave this process behind.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { NODE_FLAGS, NODE_VARIABLES, prepare, root, runOn, SetupError } from './install.mjs';

try {
  const node = await prepare();
  const main = path.join(root, 'dist', 'src', 'main.js');
  // Loading the modules is most of a start; compiled code is kept for the next one.
  const cache = { NODE_COMPILE_CACHE: path.join(root, '.cache', 'compiled') };
  const env = { ...(await envFile()), ...cache, ...NODE_VARIABLES, ...process.env };
  process.exitCode = await runOn(node, [...NODE_FLAGS, main], { env });
} catch (error) {
  process.stderr.write(`${error instanceof SetupError ? error.message : error.stack}\n`);
  process.exitCode = 1;
}

/** Not Node's --env-file, which cuts a value at each #. */
async function envFile() {
  const file = path.join(root, '.env');
  if (!existsSync(file)) return {};
  const built = path.join(root, 'dist', 'src', 'config', 'env-file.js');
  const { parseEnvFile } = await import(pathToFileURL(built).href);
  return parseEnvFile(readFileSync(file, 'utf8'));
}

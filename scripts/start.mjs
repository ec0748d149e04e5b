// `npm start`: installs what the lockfile pins, builds, and runs the registry on the pinned Node.
// Runs on whatever Node the machine has (18 or newer), before anything is installed: no dependencies.
// package.json says "exec node …": npm hands signals to a shell, which would end and leave this process behind.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { NODE_FLAGS, NODE_VARIABLES, prepare, root, runOn, SetupError } from './install.mjs';

try {
  const node = await prepare();
  const main = path.join(root, 'dist', 'src', 'main.js');
  // Loading the modules is most of a start; compiled code is kept for the next one.
  const env = { NODE_COMPILE_CACHE: path.join(root, '.cache', 'compiled'), ...NODE_VARIABLES, ...process.env };
  const envFile = existsSync(path.join(root, '.env')) ? ['--env-file=.env'] : [];
  process.exitCode = await runOn(node, [...NODE_FLAGS, ...envFile, main], { env });
} catch (error) {
  process.stderr.write(`${error instanceof SetupError ? error.message : error.stack}\n`);
  process.exitCode = 1;
}

// `npm start`: installs what the lockfile pins, builds, and runs the registry on the pinned Node.
// Runs on whatever Node the machine has (18 or newer), before anything is installed: no dependencies.
import path from 'node:path';
import { prepare, root, runOn, SetupError } from './install.mjs';

try {
  const node = await prepare();
  const main = path.join(root, 'dist', 'src', 'main.js');
  process.exitCode = await runOn(node, ['--enable-source-maps', '--env-file-if-exists=.env', main]);
} catch (error) {
  process.stderr.write(`${error instanceof SetupError ? error.message : error.stack}\n`);
  process.exitCode = 1;
}

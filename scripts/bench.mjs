// `npm run bench`: builds what is to be measured, then runs bench/run.ts on the pinned Node.
import path from 'node:path';
import { prepare, root, runOn } from './install.mjs';

const node = await prepare({ build: true });
process.exitCode = await runOn(node, [path.join(root, 'bench/run.ts'), ...process.argv.slice(2)]);

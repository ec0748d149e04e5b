// `npm run bench`: builds what is to be measured, then runs bench/run.ts on the pinned Node.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { prepare, root } from './install.mjs';

const node = await prepare({ build: true });
const { status } = spawnSync(node, [path.join(root, 'bench/run.ts'), ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = status ?? 1;

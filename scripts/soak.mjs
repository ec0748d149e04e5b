// `npm run soak [-- <pattern>…]`: the checks of test/cluster at full size. Their figures are printed as they come.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { root } from './install.mjs';

const patterns = process.argv.slice(2).map((name) => `test/cluster/${name}`);
const { status } = spawnSync(
  process.execPath,
  [path.join(root, 'scripts/test.mjs'), ...(patterns.length > 0 ? patterns : ['test/cluster/'])],
  { stdio: 'inherit', env: { ...process.env, SOAK: 'full' } },
);
process.exitCode = status ?? 1;

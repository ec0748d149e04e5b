// `npm run soak [-- <pattern>…]`: the checks of test/cluster and the long forms of others, at full size. Their figures
// are printed as they come.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { root } from './install.mjs';

const LONG_FORMS = [
  'test/e2e/api-fuzz',
  'test/e2e/bad-input-races',
  'test/e2e/closing-races',
  'test/e2e/direct-uploads',
  'test/e2e/fsck.spec',
  'test/e2e/late-bodies',
];

const names = process.argv.slice(2);
const patterns = names.map((name) => LONG_FORMS.find((file) => file.includes(name)) ?? `test/cluster/${name}`);
const { status } = spawnSync(
  process.execPath,
  [path.join(root, 'scripts/test.mjs'), ...(patterns.length > 0 ? patterns : ['test/cluster/', ...LONG_FORMS])],
  { stdio: 'inherit', env: { ...process.env, SOAK: 'full' } },
);
process.exitCode = status ?? 1;

import { readFileSync } from 'node:fs';
import Sequencer from '@jest/test-sequencer';

/**
 * A fresh clone knows no times, and jest begins with the largest files then. A file with a line `// long: why` comes
 * before all others: at the end of its suite one worker would run it alone.
 */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    const isLong = ({ path }) => /^\/\/ long: \S/m.test(readFileSync(path, 'utf8'));
    return [...sorted.filter(isLong), ...sorted.filter((test) => !isLong(test))];
  }
}

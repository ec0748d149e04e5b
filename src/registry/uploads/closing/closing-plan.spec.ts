import { describe, expect, it } from '@jest/globals';
import { type ClosingFacts, closingStep } from './closing-plan.js';

type Earlier = 'nothing' | 'inline' | 'stored';

const EARLIER: Record<Earlier, Pick<ClosingFacts, 'received' | 'inline'>> = {
  nothing: { received: 0, inline: 0 },
  inline: { received: 7, inline: 7 },
  stored: { received: 7, inline: 0 },
};

const TABLE = [
  //                        no body          a short one      one still to come
  ['reserved', 'nothing', 'put', 'put', 'claim'],
  ['reserved', 'inline', 'put', 'put', 'claim'],
  ['reserved', 'stored', 'claim', 'claim', 'claim'],
  ['claimed', 'nothing', 'put', 'put', 'append'],
  ['claimed', 'inline', 'put', 'put', 'append'],
  ['claimed', 'stored', 'complete', 'appendDurably', 'append'],
  ['takenOver', 'nothing', 'completeAgain', 'completeAgain', 'completeAgain'],
  ['takenOver', 'inline', 'completeAgain', 'completeAgain', 'completeAgain'],
  ['takenOver', 'stored', 'completeAgain', 'completeAgain', 'completeAgain'],
] as const;

describe('a closing PUT', () => {
  it.each(TABLE)('that holds the upload as %s after %s bytes', (hold, earlier, ...expected) => {
    const steps = [0, 5, null].map((body) => closingStep({ hold, ...EARLIER[earlier], start: null, body }));
    expect(steps).toEqual(expected);
  });

  it('claims the row, which says where it would fit, when it does not fit what the node knows', () => {
    const at = (start: number) => closingStep({ hold: 'reserved', ...EARLIER.inline, start, body: 5 });
    expect([6, 7, 8].map(at)).toEqual(['claim', 'put', 'claim']);
  });
});

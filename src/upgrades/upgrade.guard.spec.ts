import { describe, expect, it } from '@jest/globals';
import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { RequiresLevel } from './required-level.decorator.js';
import { UpgradeGuard } from './upgrade.guard.js';
import { UpgradeState } from './upgrade-state.service.js';

class Routes {
  @RequiresLevel(2)
  trash(): void {
    // Only its decorator matters.
  }

  list(): void {
    // As above.
  }
}

function enter(handler: keyof Routes, level: number): boolean {
  const state = Object.create(UpgradeState.prototype, { known: { value: level } }) as UpgradeState;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- the key of its metadata
  const context = { getHandler: () => Routes.prototype[handler], getClass: () => Routes };
  return new UpgradeGuard(new Reflector(), state).canActivate(context as unknown as ExecutionContext);
}

describe('a route that needs a level', () => {
  it.each([0, 1])('answers 409 while the registry has level %i', (level) => {
    expect(() => enter('trash', level)).toThrow(
      expect.objectContaining({ row: expect.objectContaining({ code: 'UPGRADE_UNFINISHED', status: 409 }) }),
    );
  });

  it.each([2, 3])('is open from its level on, and at %i', (level) => {
    expect(enter('trash', level)).toBe(true);
  });

  it('is the only one that asks', () => {
    expect(enter('list', 0)).toBe(true);
  });
});

import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { UpgradeState } from './upgrade-state.service.js';

export const REQUIRED_LEVEL = 'aerugo:required-level';

/** Lets a request in once all live nodes have the level that `@RequiresLevel` names. */
@Injectable()
export class UpgradeGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly upgrades: UpgradeState,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const places = [context.getHandler(), context.getClass()];
    this.upgrades.require(this.reflector.getAllAndOverride<number | undefined>(REQUIRED_LEVEL, places) ?? 0);
    return true;
  }
}

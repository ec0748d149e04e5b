import { applyDecorators, SetMetadata, UseGuards } from '@nestjs/common';
import { ApiConflictResponse } from '@nestjs/swagger';
import { REQUIRED_LEVEL, UpgradeGuard } from './upgrade.guard.js';

/**
 * For a route that relies on a rule which nodes of a lower level would break: 409 `UPGRADE_UNFINISHED` until every live
 * node has it. The module of the controller imports `UpgradesModule`.
 */
export function RequiresLevel(level: number): MethodDecorator & ClassDecorator {
  return applyDecorators(SetMetadata(REQUIRED_LEVEL, level), UseGuards(UpgradeGuard), ApiConflictResponse());
}

import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DatabaseModule } from '../database/database.module.js';
import { Node } from './node.entity.js';
import { NodesController } from './nodes.controller.js';
import { NodesRepository } from './nodes.repository.js';
import { UpgradeGuard } from './upgrade.guard.js';
import { UpgradeLevel } from './upgrade-level.entity.js';
import { UpgradeState } from './upgrade-state.service.js';

/** Rules that turn on when no node of an older version is left. */
@Module({
  imports: [DatabaseModule, TypeOrmModule.forFeature([Node, UpgradeLevel])],
  controllers: [NodesController],
  providers: [NodesRepository, UpgradeState, UpgradeGuard],
  exports: [UpgradeState, UpgradeGuard],
})
export class UpgradesModule {}

import { Injectable } from '@nestjs/common';
import { Gauge, type Registry } from 'prom-client';
import { UpgradeState } from '../../upgrades/upgrade-state.service.js';
import { Latest } from './latest.js';

/** Which versions run, and whether all rules of this one are on. */
@Injectable()
export class UpgradeMetrics {
  constructor(private readonly upgrades: UpgradeState) {}

  register(registry: Registry): void {
    const { upgrades } = this;
    new Gauge({
      name: 'aerugo_upgrade_unfinished',
      help: '1 while nodes of an older version may still run, so that some rules of this version are off.',
      aggregator: 'max',
      registers: [registry],
      collect() {
        this.set(upgrades.isFinished ? 0 : 1);
      },
    });
    const latest = new Latest(() => upgrades.live());
    new Gauge({
      name: 'aerugo_live_processes',
      help: 'Processes of all nodes that were seen within the last minute, by version and level.',
      labelNames: ['version', 'level'],
      aggregator: 'max',
      registers: [registry],
      async collect() {
        this.reset();
        for (const { version, level } of (await latest.get()) ?? []) this.inc({ version, level });
      },
    });
  }
}

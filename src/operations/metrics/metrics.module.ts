import { Module } from '@nestjs/common';
import { CacheModule } from '../../cache/cache.module.js';
import { DatabaseModule } from '../../database/database.module.js';
import { HealthModule } from '../health/health.module.js';
import { HttpModule } from '../../http/http.module.js';
import { JobsModule } from '../../jobs/jobs.module.js';
import { StorageModule } from '../../storage/storage.module.js';
import { CertificateMetrics } from './certificate-metrics.js';
import { DependencyMetrics } from './dependency-metrics.js';
import { IntegrityMetrics } from './integrity-metrics.js';
import { JobMetrics } from './job-metrics.js';
import { METRICS_SOURCES, type MetricsSource } from './metrics-source.js';
import { MetricsService } from './metrics.service.js';
import { RequestMetrics } from './request-metrics.js';
import { StoreMetrics } from './store-metrics.js';
import { TokenSecretMetrics } from './token-secret-metrics.js';
import { UpgradesModule } from '../../upgrades/upgrades.module.js';
import { UpgradeMetrics } from './upgrade-metrics.js';
import { WriteMetrics } from './write-metrics.js';

const SOURCES = [
  RequestMetrics,
  StoreMetrics,
  DependencyMetrics,
  CertificateMetrics,
  IntegrityMetrics,
  WriteMetrics,
  TokenSecretMetrics,
  JobMetrics,
  UpgradeMetrics,
];

/** Loaded only where `METRICS_LISTEN_ADDRESS` asks for it. */
@Module({
  imports: [HttpModule, DatabaseModule, CacheModule, StorageModule, HealthModule, JobsModule, UpgradesModule],
  providers: [
    MetricsService,
    ...SOURCES,
    { provide: METRICS_SOURCES, useFactory: (...sources: MetricsSource[]) => sources, inject: SOURCES },
  ],
  exports: [MetricsService],
})
export class MetricsModule {}

import { type DynamicModule, Module } from '@nestjs/common';
import { AuditModule } from './operations/audit/audit.module.js';
import { AuthModule } from './identity/auth/auth.module.js';
import { TokenSecretsModule } from './identity/auth/token-secrets/token-secrets.module.js';
import { BlobsModule } from './registry/blobs/blobs.module.js';
import type { AppConfig } from './config/config.js';
import { ConfigModule } from './config/config.module.js';
import { DeletionsModule } from './lifecycle/deletions/deletions.module.js';
import { EventsModule } from './events/events.module.js';
import { GcModule } from './lifecycle/gc/gc.module.js';
import { HealthModule } from './operations/health/health.module.js';
import { HttpModule } from './http/http.module.js';
import { IntegrityModule } from './operations/integrity/integrity.module.js';
import { JobRunnerModule } from './jobs/job-runner.module.js';
import { ManifestsModule } from './registry/manifests/manifests.module.js';
import { OrgsModule } from './identity/orgs/orgs.module.js';
import { RegistryModule } from './registry/v2/registry.module.js';
import { ReposModule } from './registry/repos/repos.module.js';
import { UpgradesModule } from './upgrades/upgrades.module.js';
import { UsersModule } from './identity/users/users.module.js';

/** The list of modules; everything else is each module's own. */
@Module({})
export class AppModule {
  static forRoot(config: AppConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(config),
        HttpModule,
        UsersModule,
        OrgsModule,
        ReposModule,
        AuthModule,
        TokenSecretsModule,
        RegistryModule,
        BlobsModule,
        ManifestsModule,
        DeletionsModule,
        EventsModule,
        AuditModule,
        GcModule,
        IntegrityModule,
        JobRunnerModule,
        UpgradesModule,
        HealthModule,
        ...metricsOf(config),
      ],
    };
  }
}

/** Loaded only where metrics are enabled. */
function metricsOf({ server }: AppConfig): Promise<DynamicModule>[] {
  if (server.metrics === null) return [];
  return [import('./operations/metrics/metrics.module.js').then(({ MetricsModule }) => ({ module: MetricsModule }))];
}

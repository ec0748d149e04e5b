import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AppConfig } from '../config/config.js';
import { dataSourceOptions, LIMITS } from './data-source-options.js';
import { DatabaseStatistics } from './database-statistics.js';
import { DatabaseWatch } from './database-watch.js';
import { IdempotentAnswersSweeper } from './idempotency/idempotent-answers-sweeper.js';
import { IdempotentCreate } from './idempotency/idempotent-create.entity.js';
import { IdempotentCreates } from './idempotency/idempotent-creates.service.js';
import { migrate } from './migrate.js';
import { RawStatements } from './raw-statements.js';
import { explained } from './start-failures.js';
import { UnitOfWork } from './unit-of-work.js';

@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [AppConfig],
      useFactory: async ({ database, server }: AppConfig) => {
        if (server.worker === null || server.worker.isFirst) await migrate(database);
        const watch = new DatabaseWatch(database.url ?? '', LIMITS.lockMs);
        return {
          ...dataSourceOptions(database, { watch }),
          autoLoadEntities: true,
          // A database that is not there is an error to report at once, not something to wait for.
          retryAttempts: 0,
        };
      },
      dataSourceFactory: async (options) => {
        if (options?.type !== 'postgres') throw new Error('the database has no options');
        return explained({ url: options.url ?? null }, () => new DataSource(options).initialize());
      },
    }),
    TypeOrmModule.forFeature([IdempotentCreate]),
  ],
  providers: [DatabaseStatistics, UnitOfWork, RawStatements, IdempotentCreates, IdempotentAnswersSweeper],
  exports: [DatabaseStatistics, UnitOfWork, RawStatements, IdempotentCreates],
})
export class DatabaseModule {}

import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { AppConfig } from '../config/config.js';
import { dataSourceOptions } from './data-source-options.js';
import { migrate } from './migrate.js';
import { UnitOfWork } from './unit-of-work.js';

async function openMigrated(options?: DataSourceOptions): Promise<DataSource> {
  if (!options) throw new Error('no data source options');
  const dataSource = await new DataSource(options).initialize();
  await migrate(dataSource);
  return dataSource;
}

@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [AppConfig],
      useFactory: (config: AppConfig) => ({
        ...dataSourceOptions(config.database),
        migrations: [join(import.meta.dirname, '../../migrations/*.{js,ts}')],
        autoLoadEntities: true,
        // A database that is not there yet is an error to report at once, not something to wait for.
        retryAttempts: 0,
      }),
      dataSourceFactory: openMigrated,
    }),
  ],
  providers: [UnitOfWork],
  exports: [UnitOfWork],
})
export class DatabaseModule {}

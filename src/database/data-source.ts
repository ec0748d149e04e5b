import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { readConfig } from '../config/read-config.js';
import { dataSourceOptions } from './data-source-options.js';

/** For the TypeORM commands (`typeorm -d dist/src/database/data-source.js …`): the application builds its own. */
const { database } = readConfig();
export default new DataSource({
  ...dataSourceOptions(database, { url: database.directUrl ?? database.url }),
  entities: [join(import.meta.dirname, '../**/*.entity.js')],
  migrations: [join(import.meta.dirname, '../../migrations/*.js')],
});

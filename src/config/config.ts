import type { ConfigValues, WorkerConfig } from './config-values.js';

/**
 * The whole configuration: read once, complete and frozen. It is also the injection token.
 * Sizes are bytes and durations seconds.
 */
export class AppConfig implements ConfigValues {
  readonly server: ConfigValues['server'];
  readonly database: ConfigValues['database'];
  readonly cache: ConfigValues['cache'];
  readonly storage: ConfigValues['storage'];
  readonly security: ConfigValues['security'];
  readonly registry: ConfigValues['registry'];
  readonly sections: ConfigValues['sections'];

  constructor(values: ConfigValues) {
    const own = structuredClone(values);
    this.server = own.server;
    this.database = own.database;
    this.cache = own.cache;
    this.storage = own.storage;
    this.security = own.security;
    this.registry = own.registry;
    this.sections = own.sections;
    deepFreeze(this);
  }

  /** Several nodes may share the database: nothing that another node needs may live in this process alone. */
  get isProduction(): boolean {
    return !this.database.embedded;
  }

  /** What a module's own settings say. */
  of<Values extends object>({ name }: Section<Values>): Values {
    const values = this.sections[name];
    if (values === undefined) throw new Error(`settings.ts does not collect the section "${name}"`);
    return values as Values;
  }

  /** The same configuration once the embedded database runs and its address is known. */
  withEmbeddedDatabase(url: string): AppConfig {
    const { server, cache, storage, security, registry, sections } = this;
    const database = { ...this.database, url, directUrl: null, embedded: true };
    return new AppConfig({ server, database, cache, storage, security, registry, sections });
  }

  /** That of one worker: the node's, with its part of what the settings give the node as a whole. */
  ofWorker(worker: WorkerConfig, listenPort: number): AppConfig {
    const { cache, security, registry, sections } = this;
    const { workers } = this.server;
    const partOf = (total: number): number => Math.floor(total / workers);
    const server = { ...this.server, worker, listenPort };
    const database = { ...this.database, maxConnections: partOf(this.database.maxConnections) };
    const storage = { ...this.storage, uploadMemoryBudget: partOf(this.storage.uploadMemoryBudget) };
    return new AppConfig({ server, database, cache, storage, security, registry, sections });
  }
}

/** What `configSection` makes. */
interface Section<Values extends object> {
  readonly name: string;
  readonly values: (parsed: never) => Values;
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  Object.values(value).forEach(deepFreeze);
}

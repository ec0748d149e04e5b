import { describe, expect, it } from '@jest/globals';
import { availableParallelism } from 'node:os';
import { ConfigError, loadConfig, type Environment } from './load-config.js';
import type { AppConfig } from './config.js';
import { configWarnings } from './warnings.js';

const GOOD_SECRET = '3f9c1d7a5b8e2046c1d7a5b8e20463f9';
const PRODUCTION: Environment = { DATABASE_URL: 'postgresql://u:hunter22@db/aerugo', JWT_SECRET: GOOD_SECRET };
const S3: Environment = { S3_BUCKET: 'blobs', S3_ACCESS_KEY: 'id', S3_SECRET_KEY: 'key' };

function load(environment: Environment = {}, toml = ''): AppConfig {
  return loadConfig(environment, toml === '' ? null : { name: 'config.toml', text: toml }, () => GOOD_SECRET);
}

function problems(environment: Environment, toml = ''): readonly string[] {
  try {
    load(environment, toml);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the configuration', () => {
  it('is complete without anything given: an embedded database and the filesystem', () => {
    const config = load();
    expect(config.server).toMatchObject({ listenHost: '0.0.0.0', listenPort: 8080, publicUrl: null, logLevel: 'info' });
    expect(config.database).toEqual({ url: null, directUrl: null, maxConnections: 10, embedded: true });
    expect(config.storage).toMatchObject({ type: 'filesystem', s3: null, uploadMemoryBudget: 256 * 2 ** 20 });
    expect(config.security).toMatchObject({ jwtSecret: GOOD_SECRET, adminUsername: 'admin', adminPassword: null });
  });

  it('cannot be changed, not even deep inside', () => {
    const config = load({ TRUSTED_PROXIES: '10.0.0.0/8' });
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.server.trustedProxies)).toBe(true);
  });

  it('takes the file, and variables over it', () => {
    const toml = '[server]\nlisten_address = "127.0.0.1:5000"\nlog_level = "warn"\n[security]\ncors_origins = ["*"]';
    const config = load({ LOG_LEVEL: 'debug' }, toml);
    expect(config.server).toMatchObject({ listenPort: 5000, logLevel: 'debug', corsOrigins: ['*'] });
  });

  it('takes TLS with both of its files, and warns of a public address that leads past it', () => {
    const files = { TLS_CERT_FILE: 'tls.crt', TLS_KEY_FILE: 'tls.key' };
    expect(load(files).server.tls).toEqual({ certFile: 'tls.crt', keyFile: 'tls.key' });
    expect(load().server.tls).toBeNull();
    expect(configWarnings(load(files))).toEqual([]);
    const wrong = load({ ...files, PUBLIC_URL: 'http://registry.example.com' });
    expect(configWarnings(wrong)).toEqual([expect.stringContaining('PUBLIC_URL begins with http://')]);
  });

  it.each([
    ['TLS_CERT_FILE', 'TLS_KEY_FILE'],
    ['TLS_KEY_FILE', 'TLS_CERT_FILE'],
  ])('refuses %s alone', (given, missing) => {
    expect(problems({ [given]: 'tls.pem' })).toEqual([expect.stringContaining(`${missing} is required`)]);
  });

  it('takes one Redis, the nodes of a cluster, or Sentinels', () => {
    const tls = { REDIS_CA_FILE: 'ca.pem', REDIS_CERT_FILE: 'node.pem', REDIS_KEY_FILE: 'node-key.pem' };
    expect(load({ REDIS_URL: 'rediss://redis', ...tls }).cache.redis).toEqual({
      mode: 'server',
      urls: ['rediss://redis'],
      sentinel: { master: 'mymaster', password: null },
      files: { ca: 'ca.pem', cert: 'node.pem', key: 'node-key.pem' },
    });
    const several = { REDIS_URL: 'redis://:hunter22@a:26379,redis://:hunter22@b:26379' };
    expect(load({ ...several, REDIS_MODE: 'sentinel', REDIS_SENTINEL_MASTER: 'facts' }).cache.redis).toMatchObject({
      mode: 'sentinel',
      urls: ['redis://:hunter22@a:26379', 'redis://:hunter22@b:26379'],
      sentinel: { master: 'facts' },
    });
    expect(load({ ...several, REDIS_MODE: 'cluster' }).cache.redis?.mode).toBe('cluster');
    expect(load().cache.redis).toBeNull();
  });

  it.each([
    [{ REDIS_URL: 'redis://a,redis://b' }, /REDIS_URL must be one address/],
    [{ REDIS_MODE: 'cluster' }, /REDIS_URL is required for REDIS_MODE=cluster/],
    [{ REDIS_URL: 'redis://a,rediss://b', REDIS_MODE: 'cluster' }, /rediss:\/\/ in all addresses or in none/],
    [{ REDIS_URL: 'redis://a/1', REDIS_MODE: 'cluster' }, /must name no database/],
    [{ REDIS_URL: 'redis://a', REDIS_CA_FILE: 'ca.pem' }, /REDIS_CA_FILE needs a REDIS_URL with rediss/],
    [{ REDIS_URL: 'rediss://a', REDIS_CERT_FILE: 'node.pem' }, /of use only together/],
  ])('refuses %j', (environment, expected) => {
    expect(problems(environment)).toEqual([expect.stringMatching(expected)]);
  });

  it('treats an empty variable as one that is not set', () => {
    expect(load({ DATABASE_URL: '', S3_BUCKET: '' }).database.embedded).toBe(true);
  });

  it('chooses S3 as soon as there is a bucket, with the endpoint of AWS unless another is given', () => {
    expect(load({ ...S3, S3_REGION: 'eu-west-1' }).storage.s3).toMatchObject({
      endpoint: 'https://s3.eu-west-1.amazonaws.com',
      pathStyle: false,
    });
    expect(load({ ...S3, S3_ENDPOINT: 'http://localhost:9000/' }).storage.s3).toMatchObject({
      endpoint: 'http://localhost:9000',
      pathStyle: true,
    });
  });

  it('scrubs what is on the filesystem, and on S3 only where that is asked for', () => {
    const rateOf = (environment: Environment): number => load(environment).storage.scrubBytesPerSecond;
    expect([{}, S3].map(rateOf)).toEqual([4 * 2 ** 20, 0]);
    const rates = ['0', '1MiB'].flatMap((SCRUB_BYTES_PER_SECOND) =>
      [{}, S3].map((store) => rateOf({ ...store, SCRUB_BYTES_PER_SECOND })),
    );
    expect(rates).toEqual([0, 0, 2 ** 20, 2 ** 20]);
    expect(problems({ SCRUB_BYTES_PER_SECOND: '-1' })).toEqual([
      'SCRUB_BYTES_PER_SECOND must be a size from 0 to 1024GiB',
    ]);
  });

  it('knows the address of the embedded database once it runs, and still that it is embedded', () => {
    const config = load().withEmbeddedDatabase('postgresql://localhost/x');
    expect(config.database).toMatchObject({ url: 'postgresql://localhost/x', embedded: true });
    expect(config.isProduction).toBe(false);
  });
});

describe('a wrong configuration', () => {
  it('names every wrong name and value at once', () => {
    const toml = '[server]\nport = 1\n[databse]\nurl = "x"\n[storage]\nbuckt = "b"\nredirect = "perhaps"';
    const found = problems({ LISTEN_ADDRESS: 'nowhere', LOG_LEVEL: 'loud', DATABASE_URI: 'x', S3_BUCKT: 'b' }, toml);
    expect(found).toEqual([
      'config.toml: [server] port is not a setting',
      expect.stringContaining('config.toml: [databse] is not a section'),
      'config.toml: [storage] buckt is not a setting; did you mean bucket?',
      'DATABASE_URI is not a setting; did you mean DATABASE_URL?',
      'S3_BUCKT is not a setting; did you mean S3_BUCKET?',
      expect.stringMatching(/^LISTEN_ADDRESS must be host:port/),
      expect.stringContaining('LOG_LEVEL must be one of'),
      'config.toml: [storage] redirect must be one of true, false',
    ]);
  });

  it('is found in the file, too, where a variable wins over it', () => {
    const found = problems({ LOG_LEVEL: 'info', DATA_DIR: '/x' }, '[server]\nlog_level = "loud"\ndata_dir = "./y"');
    expect(found).toEqual([expect.stringContaining('config.toml: [server] log_level must be one of')]);
  });

  it('has no variable of its own that is unknown', () => {
    expect(problems({ AERUGO_CONFIG: 'x', AERUGO_PORT: 'tcp://10.0.0.1:80', AERUGO_SERVICE_HOST: 'x' })).toEqual([]);
    expect(problems({ AERUGO_VERBOSE: '1', AERUGO_CONFG: 'x', AERUGO_DATA_DIR: '/x' })).toEqual([
      'AERUGO_VERBOSE is not a setting',
      'AERUGO_CONFG is not a setting; did you mean AERUGO_CONFIG?',
      'AERUGO_DATA_DIR is not a setting; did you mean DATA_DIR?',
    ]);
  });

  it('is a name of TLS or of limits that ends too early: plain HTTP and no limit are not what was meant', () => {
    expect(problems({ TLS_CERT: 'x', TLS_KEY: 'x', RATE_LIMIT_PULLS: '1', TLS_PORT: 'tcp://10.0.0.1:443' })).toEqual([
      'TLS_CERT is not a setting; did you mean TLS_CERT_FILE?',
      'TLS_KEY is not a setting; did you mean TLS_KEY_FILE?',
      'RATE_LIMIT_PULLS is not a setting',
    ]);
  });

  it('has the metrics where the registry is', () => {
    const address = { LISTEN_ADDRESS: '127.0.0.1:9000', METRICS_LISTEN_ADDRESS: '127.0.0.1:9000' };
    expect(problems(address)).toEqual(['METRICS_LISTEN_ADDRESS must be another address than LISTEN_ADDRESS']);
    expect(problems({ ...address, METRICS_LISTEN_ADDRESS: '127.0.0.1:9001' })).toEqual([]);
  });

  it('never shows a value, secret or not', () => {
    const found = problems({ DATABASE_URL: 'hunter22', JWT_SECRET: 'hunter23', ADMIN_PASSWORD: 'hunt24' });
    expect(found).toHaveLength(3);
    expect(found.join()).not.toMatch(/hunt/);
  });

  it('shows where the file is damaged without quoting the line', () => {
    const found = problems({}, '[security]\njwt_secret = "hunter22');
    expect(found).toEqual([expect.stringMatching(/^config\.toml: not valid TOML at line 2/)]);
    expect(found.join()).not.toMatch(/hunter/);
  });

  it.each([
    ['listen_address = "x"', 'listen_address belongs in the section [server]'],
    ['LISTEN_ADDRESS = "x"', 'LISTEN_ADDRESS belongs in the section [server], as listen_address'],
    ['port = 1', expect.stringMatching(/^port is not a setting, and every setting is in a section: server, /)],
    ['storage = "s3"', 'storage is a section, which begins with a line [storage]'],
    ['[[storage]]', 'storage is a section, which begins with a line [storage]'],
    ['[storage]\nlisten_address = "x"', expect.stringMatching(/did you mean \[server\] listen_address\?$/)],
    ['[server]\nLISTEN_ADDRESS = "x"', expect.stringMatching(/did you mean \[server\] listen_address\?$/)],
  ])('says of %j in the file where it belongs', (toml, problem) => {
    const [found = '', ...more] = problems({}, toml);
    expect(found.replace(/^config\.toml: /, '')).toEqual(problem);
    expect(more).toEqual([]);
  });

  it.each([
    ['missing', undefined, /JWT_SECRET is required/],
    ['short', 'x8-Gq0', /JWT_SECRET must have 32 bytes/],
    ['the one of the documents', 'your-super-secret-jwt-key-for-development', /JWT_SECRET is a well-known/],
    ['the one of the chart of 0.1', '8f2f4f7f0e0b4f3d9f6e5a7c1b2d3e4f', /JWT_SECRET is a well-known/],
    ['one letter', 'a'.repeat(40), /JWT_SECRET is a well-known/],
  ])('refuses production mode when JWT_SECRET is %s', (_, secret, message) => {
    expect(problems({ ...PRODUCTION, JWT_SECRET: secret })).toEqual([expect.stringMatching(message)]);
  });

  it('refuses less memory for uploads than two of the largest parts', () => {
    expect(problems({ UPLOAD_MEMORY_BUDGET: '127MiB' })).toEqual([
      expect.stringMatching(/UPLOAD_MEMORY_BUDGET.*128MiB/),
    ]);
    expect(problems({ UPLOAD_MEMORY_BUDGET: '128MiB' })).toEqual([]);
  });

  it.each([
    [{ WORKERS: '0' }, ['WORKERS must be auto or a whole number from 1 to 64']],
    [{ WORKERS: 'many' }, ['WORKERS must be auto or a whole number from 1 to 64']],
    [{ WORKERS: '11' }, ['DATABASE_MAX_CONNECTIONS must be at least 11, one for each of the WORKERS']],
    [{ ...S3, WORKERS: '3' }, ['UPLOAD_MEMORY_BUDGET must be at least 384MiB, 128MiB for each of the WORKERS']],
    [{ ...S3, WORKERS: '2' }, []],
    [{ WORKERS: '10' }, []],
    [{ ...S3, WORKERS: 'auto', UPLOAD_MEMORY_BUDGET: '128MiB' }, []],
  ])('of %j says %j: what workers share has to do for each', (environment, expected) => {
    expect(problems(environment)).toEqual(expected);
  });

  it('asks for what S3 needs', () => {
    expect(problems({ STORAGE_TYPE: 's3' })).toEqual(['S3_BUCKET is required for S3 storage']);
    expect(problems({ S3_ENDPOINT: 'http://localhost:9000' })).toEqual([
      'S3_BUCKET is required, because S3_ENDPOINT is set',
    ]);
  });

  it('takes both keys of S3 or none, and a key of KMS only for its encryption', () => {
    expect(load({ S3_BUCKET: 'blobs' }).storage.s3).toMatchObject({ accessKey: null, secretKey: null });
    expect(problems({ S3_BUCKET: 'blobs', S3_ACCESS_KEY: 'id' })).toEqual([
      expect.stringMatching(/^S3_SECRET_KEY is required beside the other key/),
    ]);
    expect(problems({ S3_BUCKET: 'blobs', S3_SECRET_KEY: 'key' })).toEqual([
      expect.stringMatching(/^S3_ACCESS_KEY is required beside the other key/),
    ]);
    const encrypted = { S3_BUCKET: 'blobs', S3_SERVER_SIDE_ENCRYPTION: 'aws:kms', S3_KMS_KEY_ID: 'alias/blobs' };
    expect(load(encrypted).storage.s3).toMatchObject({ serverSideEncryption: 'aws:kms', kmsKeyId: 'alias/blobs' });
    expect(problems({ ...encrypted, S3_SERVER_SIDE_ENCRYPTION: 'AES256' })).toEqual([
      'S3_KMS_KEY_ID needs S3_SERVER_SIDE_ENCRYPTION=aws:kms',
    ]);
  });

  it('asks for the main address of a database whose direct one is given', () => {
    expect(problems({ DATABASE_DIRECT_URL: 'postgresql://db/x' })).toEqual(['DATABASE_DIRECT_URL needs DATABASE_URL']);
  });

  it('leaves alone what Kubernetes adds for services, and what other programs read', () => {
    const links = { REDIS_PORT: 'tcp://10.0.0.1:6379', REDIS_SERVICE_HOST: 'x', DATABASE_PORT_5432_TCP_ADDR: 'y' };
    const others = {
      PATH: '/bin',
      HOME: '/root',
      XDG_DATA_DIRS: '/usr/share',
      OTEL_LOG_LEVEL: 'info',
      OTEL_S3_BUCKET: 'x',
    };
    expect(problems({ ...links, ...others })).toEqual([]);
  });

  it('generates no secret when something is wrong', () => {
    const generate = (): string => {
      throw new Error('generated');
    };
    expect(() => loadConfig({ LOG_LEVEL: 'loud' }, null, generate)).toThrow(ConfigError);
  });
});

describe('the configuration of a worker', () => {
  it('has its part of what the settings give the node, and the rest as it is', () => {
    const node = load({ WORKERS: '3', DATABASE_MAX_CONNECTIONS: '10', UPLOAD_MEMORY_BUDGET: '600MiB' });
    const { cache, security, registry } = node;
    expect(node.ofWorker({ id: 2, isFirst: false }, 5000)).toMatchObject({
      ...{ cache, security, registry },
      server: { ...node.server, listenPort: 5000, worker: { id: 2, isFirst: false } },
      database: { ...node.database, maxConnections: 3 },
      storage: { ...node.storage, uploadMemoryBudget: 200 * 2 ** 20 },
    });
  });

  it('is one of as many as there are processors, where the totals have room for so many', () => {
    const workers = load({ WORKERS: 'auto', DATABASE_MAX_CONNECTIONS: '64' }).server.workers;
    expect(workers).toBe(Math.min(64, availableParallelism()));
    expect(load({ WORKERS: 'auto', DATABASE_MAX_CONNECTIONS: '1' }).server.workers).toBe(1);
  });
});

describe('the warnings', () => {
  it('tell of traces that are asked for and cannot be', () => {
    const config = load({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' });
    expect(configWarnings(config)).toEqual([expect.stringMatching(/^OTEL_EXPORTER_OTLP_PROTOCOL must be/)]);
  });

  it.each([
    ['https://r.example.com', 'https://s3.r.example.com', 1],
    ['https://r.example.com', 'https://r.example.com:9000', 1],
    ['https://r.example.com', 'https://s3.example.com', 0],
    ['https://blobs.s3.example.com', 'https://s3.example.com', 0],
    ['https://blobs.s3.example.com', 'https://s3.example.com', 1, 'false'],
    ['https://s3.example.com', 'https://s3.example.com', 1, 'false'],
  ])('for a registry at %s with its store at %s are %d', (registry, store, count, pathStyle = 'true') => {
    const config = load({
      ...PRODUCTION,
      ...S3,
      PUBLIC_URL: registry,
      S3_PUBLIC_ENDPOINT: store,
      S3_PATH_STYLE: pathStyle,
    });
    expect(configWarnings(config)).toHaveLength(count);
  });
});

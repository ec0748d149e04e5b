import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AppConfig } from './config.js';
import { explain } from './explain.js';
import { ConfigError, type Environment, loadConfig } from './load-config.js';
import { SECRET_FILE_NAMES, SECRET_NAMES } from './secret-files.js';
import { SETTING_NAMES, SETTINGS } from './settings.js';

const KEY = '3f9c1d7a5b8e2046c1d7a5b8e20463f9';
const URL = 'postgresql://aerugo:hunter22@db/aerugo';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'secret-files-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

let count = 0;
function fileWith(content: string | Buffer): string {
  const path = join(directory, `secret-${(count += 1)}`);
  writeFileSync(path, content);
  return path;
}

function toml(text: string) {
  return text === '' ? null : { name: 'config.toml', text };
}

function load(environment: Environment, text = ''): AppConfig {
  return loadConfig(environment, toml(text), () => KEY);
}

function problems(environment: Environment, text = ''): readonly string[] {
  try {
    load(environment, text);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('a secret in a file', () => {
  it.each(SECRET_NAMES)('%s is what the file of its _FILE has', (name) => {
    const { example } = SETTINGS[name];
    const others: Environment = {
      DATABASE_URL: URL,
      JWT_SECRET: KEY,
      S3_BUCKET: 'blobs',
      S3_ACCESS_KEY: 'a',
      S3_SECRET_KEY: 'k',
    };
    const secret = name === 'JWT_SECRET' ? KEY : example;
    const direct = load({ ...others, [name]: secret });
    expect(load({ ...others, [name]: '', [`${name}_FILE`]: fileWith(`${secret}\n`) })).toEqual(direct);
    const { section, key } = SETTINGS[name];
    const inToml = `[${section}]\n${key}_file = ${JSON.stringify(fileWith(secret))}`;
    expect(load({ ...others, [name]: undefined }, inToml)).toEqual(direct);
  });

  it.each([
    ['line feeds', 'pass word\n\n'],
    ['those of Windows', 'pass word\r\n'],
    ['a mark of its encoding', '\ufeffpass word'],
    ['nothing', 'pass word'],
  ])('is what stands before %s', (_what, content) => {
    expect(load({ ADMIN_PASSWORD_FILE: fileWith(content) }).security.adminPassword).toBe('pass word');
  });

  it('wins over the TOML file, as a variable does, and loses against a variable there', () => {
    const text = '[security]\nadmin_password = "from the file"';
    expect(load({ ADMIN_PASSWORD_FILE: fileWith('from a secret') }, text).security.adminPassword).toBe('from a secret');
    const named = `[security]\nadmin_password_file = "${fileWith('from its secret')}"`;
    expect(load({}, named).security.adminPassword).toBe('from its secret');
    expect(load({ ADMIN_PASSWORD: 'from a variable' }, named).security.adminPassword).toBe('from a variable');
  });

  it('has names that no other setting has', () => {
    expect(SECRET_FILE_NAMES.filter((name) => (SETTING_NAMES as readonly string[]).includes(name))).toEqual([]);
    const keys = SETTING_NAMES.map((name) => `${SETTINGS[name].section} ${SETTINGS[name].key}`);
    const files = SECRET_NAMES.map((name) => `${SETTINGS[name].section} ${SETTINGS[name].key}_file`);
    expect(files.filter((file) => keys.includes(file))).toEqual([]);
  });

  it('is shown by its source, not by its value', () => {
    const [password, url] = [fileWith('a-long-passphrase'), fileWith(URL)];
    const { settings } = explain(
      { ADMIN_PASSWORD_FILE: password },
      toml(`[database]\nurl_file = "${url}"\n[security]\njwt_secret = "${KEY}"`),
    );
    expect(settings.filter(({ source }) => source !== 'default')).toEqual([
      {
        name: 'DATABASE_URL',
        value: 'postgresql://********@db/aerugo',
        source: 'file',
        place: `config.toml: [database] url_file (${url})`,
      },
      { name: 'JWT_SECRET', value: '********', source: 'file', place: 'config.toml: [security] jwt_secret' },
      {
        name: 'ADMIN_PASSWORD',
        value: '********',
        source: 'environment',
        place: `ADMIN_PASSWORD_FILE (${password})`,
      },
    ]);
  });
});

describe('a secret that cannot be had from its file', () => {
  const absent = (): string => join(directory, 'absent');
  const pipe = (): string => {
    const path = join(directory, `pipe-${(count += 1)}`);
    execFileSync('mkfifo', [path]);
    return path;
  };
  const WRONG = [
    ['is not there', absent, 'cannot be read (ENOENT)'],
    ['is a directory', () => directory, 'is not a file'],
    ['is a pipe', pipe, 'is not a file'],
    ['is below a file', () => join(fileWith('x'), 'y'), 'cannot be read (ENOTDIR)'],
    ['is empty', () => fileWith(''), 'is empty'],
    ['has line breaks only', () => fileWith('\n\r\n'), 'is empty'],
    ['is large', () => fileWith(`hunter22${'x'.repeat(65_536)}`), 'is larger than 64 KiB'],
    ['is no text', () => fileWith(Buffer.from([0x68, 0xff, 0xfe, 0x00])), 'is not text in UTF-8'],
  ] as const;
  it.each(WRONG)('is reported once with its path where that %s', (_what, make, reason) => {
    const path = make();
    expect(problems({ DATABASE_URL_FILE: path })).toEqual([
      `DATABASE_URL_FILE: ${path} ${reason}`,
      expect.stringContaining('JWT_SECRET is required'),
    ]);
    expect(problems({ DATABASE_URL: URL, JWT_SECRET_FILE: path })).toEqual([`JWT_SECRET_FILE: ${path} ${reason}`]);
    expect(problems({ JWT_SECRET: KEY }, `[database]\nurl_file = "${path}"`)).toEqual([
      `config.toml: [database] url_file: ${path} ${reason}`,
    ]);
    const { settings } = explain({ JWT_SECRET_FILE: path }, null);
    expect(settings.find(({ name }) => name === 'JWT_SECRET')).toMatchObject({ value: null, source: 'environment' });
  });

  it('is reported with its path where the value is wrong, without the value', () => {
    const path = fileWith('mysql://user:hunter22@db/a\n');
    const [problem, ...others] = problems({ DATABASE_URL_FILE: path, JWT_SECRET: KEY });
    expect(others).toEqual([]);
    expect(problem).toBe(`DATABASE_URL_FILE (${path}) must be a URL such as postgresql://user:password@host:5432/name`);
  });

  it('is not shown where it stands in the place of the path', () => {
    expect(problems({ DATABASE_URL_FILE: 'postgresql://u:hunter22@db/a', JWT_SECRET_FILE: 'hunter22' })).toEqual([
      'DATABASE_URL_FILE: the path that it has cannot be read (ENOENT)',
      'JWT_SECRET_FILE: the path that it has cannot be read (ENOENT)',
    ]);
  });

  it('is refused beside the value itself, in either order, in variables and in the file', () => {
    const path = fileWith(KEY);
    const both = ['JWT_SECRET and JWT_SECRET_FILE are both set: give one'];
    expect(problems({ JWT_SECRET: KEY, JWT_SECRET_FILE: path })).toEqual(both);
    expect(problems({ JWT_SECRET_FILE: path, JWT_SECRET: KEY })).toEqual(both);
    const lines = [`url = "${URL}"`, `url_file = "${fileWith(URL)}"`];
    for (const order of [lines, lines.toReversed()]) {
      expect(problems({ JWT_SECRET: KEY }, `[database]\n${order.join('\n')}`)).toEqual([
        'config.toml: [database] url and url_file are both set: give one',
      ]);
    }
  });

  it('is a name that is nearly one, or one of what is no secret', () => {
    const text = '[security]\njwt_secret_flie = "/x"\n[database]\nurl_file = 5\n[server]\nadmin_password_file = "/x"';
    expect(problems({ JWT_SECRT_FILE: '/x', AERUGO_ADMIN_PASSWORD_FILE: '/x', S3_BUCKET_FILE: '/x' }, text)).toEqual([
      'config.toml: [security] jwt_secret_flie is not a setting; did you mean jwt_secret_file?',
      'config.toml: [database] url_file must be the path of a file',
      'config.toml: [server] admin_password_file is not a setting; did you mean [security] admin_password_file?',
      'JWT_SECRT_FILE is not a setting; did you mean JWT_SECRET_FILE?',
      'AERUGO_ADMIN_PASSWORD_FILE is not a setting; did you mean ADMIN_PASSWORD_FILE?',
      'S3_BUCKET_FILE is not a setting: only secrets are read from files, so give S3_BUCKET',
      expect.stringContaining('JWT_SECRET is required'),
    ]);
  });
});

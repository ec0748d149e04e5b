import { describe, expect, it } from '@jest/globals';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { load } from 'js-yaml';
import { envExample, markdownTable, tomlExample } from '../src/config/documents.js';
import { loadConfig } from '../src/config/load-config.js';
import { SETTING_NAMES, SETTINGS } from '../src/config/settings.js';

const ROOT = join(import.meta.dirname, '..');
const SECRET = '3f9c1d7a5b8e2046c1d7a5b8e20463f9';
const FILES = [
  ['.env.example', envExample],
  ['config/config.example.toml', tomlExample],
] as const;

/** The file without the # before each setting. */
function uncommented(text: string, assignment: RegExp): string {
  return text.replaceAll(assignment, '$1');
}

const SETTINGS_TABLE = /(?<=<!-- settings -->\n)[^]*(?=\n<!-- \/settings -->)/;

describe('docs/configuration.md', () => {
  it('has the table of settings (UPDATE_EXAMPLES=1 writes it)', () => {
    const path = join(ROOT, 'docs/configuration.md');
    const page = readFileSync(path, 'utf8');
    if (process.env['UPDATE_EXAMPLES'] === '1')
      writeFileSync(
        path,
        page.replace(SETTINGS_TABLE, () => `\n${markdownTable()}\n`),
      );
    expect(SETTINGS_TABLE.exec(readFileSync(path, 'utf8'))?.[0].trim()).toBe(markdownTable());
  });
});

describe('the example files', () => {
  it.each(FILES)('%s is what the table of settings says (UPDATE_EXAMPLES=1 writes it)', (name, render) => {
    const path = join(ROOT, name);
    if (process.env['UPDATE_EXAMPLES'] === '1') {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, render());
    }
    expect(readFileSync(path, 'utf8')).toBe(render());
  });

  it('name every setting once', () => {
    const text = readFileSync(join(ROOT, '.env.example'), 'utf8');
    const named = [...text.matchAll(/^# ([A-Z0-9_]+)=/gm)].map(([, name]) => name);
    expect(named.sort()).toEqual([...SETTING_NAMES].sort());
  });

  it('are valid as they are, and change nothing', () => {
    const defaults = loadConfig({}, null, () => SECRET);
    const toml = readFileSync(join(ROOT, 'config/config.example.toml'), 'utf8');
    expect(loadConfig({}, { name: 'config.toml', text: toml }, () => SECRET)).toEqual(defaults);
  });

  it('are valid with every setting switched on, and say the same', () => {
    const env = uncommented(readFileSync(join(ROOT, '.env.example'), 'utf8'), /^# ([A-Z0-9_]+=)/gm);
    const toml = uncommented(readFileSync(join(ROOT, 'config/config.example.toml'), 'utf8'), /^# ([a-z0-9_]+ = )/gm);
    const variables = Object.fromEntries(
      [...env.matchAll(/^([A-Z0-9_]+)=(.*)$/gm)].map(([, name, value]) => [name ?? '', value]),
    );
    // The example of a signing key is refused, as it should be.
    const fromVariables = loadConfig({ ...variables, JWT_SECRET: SECRET }, null, () => SECRET);
    const fromFile = loadConfig({ JWT_SECRET: SECRET }, { name: 'config.toml', text: toml }, () => SECRET);
    expect(fromFile).toEqual(fromVariables);
    expect(fromFile.storage.s3).not.toBeNull();
  });

  it('of the chart hold no secret that could be copied, but for the placeholder in the URL of a database', () => {
    const directory = join(ROOT, 'helm/aerugo/ci');
    const files = readdirSync(directory).filter((file) => file.endsWith('-values.yaml'));
    expect(files.length).toBeGreaterThan(3);
    const written = files.flatMap((file) => {
      const { secrets = {} } = load(readFileSync(join(directory, file), 'utf8')) as {
        secrets?: Record<string, { value?: string }>;
      };
      return Object.entries(secrets).flatMap(([name, { value }]) => (value === undefined ? [] : [[name, value]]));
    });
    expect(written).toEqual([['DATABASE_URL', expect.stringMatching(/^postgresql:\/\/aerugo:example@/)]]);
  });

  it('hold no default for a secret', () => {
    const withDefault = SETTING_NAMES.filter((name) => SETTINGS[name].isSecret && SETTINGS[name].default !== null);
    expect(withDefault).toEqual([]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SETTING_NAMES, SETTINGS } from '../src/config/settings.js';

const FILE = join(import.meta.dirname, '../helm/aerugo/values.schema.json');

interface Part {
  properties: Record<string, unknown>;
  additionalProperties: boolean;
}

function read(): { properties: { config: Part; secrets: Part } } {
  return JSON.parse(readFileSync(FILE, 'utf8')) as ReturnType<typeof read>;
}

function propertiesOf(isSecret: boolean): Part['properties'] {
  const names = SETTING_NAMES.filter((name) => SETTINGS[name].isSecret === isSecret);
  const reference = isSecret ? '#/$defs/secret' : '#/$defs/setting';
  return Object.fromEntries(
    names.map((name) => [name, { description: SETTINGS[name].description, allOf: [{ $ref: reference }] }]),
  );
}

describe("the schema of the chart's values", () => {
  it('knows every setting: secret ones below secrets, others below config (UPDATE_EXAMPLES=1 writes it)', () => {
    if (process.env['UPDATE_EXAMPLES'] === '1') {
      const schema = read();
      schema.properties.config.properties = propertiesOf(false);
      schema.properties.secrets.properties = propertiesOf(true);
      writeFileSync(FILE, `${JSON.stringify(schema, null, 2)}\n`);
    }
    const { config, secrets } = read().properties;
    expect(config).toEqual({ ...config, properties: propertiesOf(false), additionalProperties: false });
    expect(secrets).toEqual({ ...secrets, properties: propertiesOf(true), additionalProperties: false });
  });
});

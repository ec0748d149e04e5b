// needs: helm kubernetes-validate custom-resources pod-standard
import { describe, expect, it } from '@jest/globals';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { loadConfig } from '../../src/config/load-config.js';
import { SECRET_NAMES } from '../../src/config/secret-files.js';
import { SETTING_NAMES, SETTINGS } from '../../src/config/settings.js';
import { scratchDirectory } from '../support/processes.js';
import {
  brokenStandards,
  type Container,
  environmentOf,
  example,
  type KubernetesObject,
  type PodSpec,
  podsOf,
  render,
  schemaProblems,
  type Values,
} from './chart.js';

const AS_FILES: Values = ['--set', 'secretsAsFiles=true'];
const KEY = '3f9c1d7a5b8e2046c1d7a5b8e20463f9';

interface Projected {
  readonly name: string;
  readonly projected?: {
    readonly sources: readonly {
      readonly secret: {
        readonly name: string;
        readonly items: readonly { readonly key: string; readonly path: string }[];
      };
    }[];
  };
}

/** What the kubelet would mount: a directory with a file for each item; gives where each was asked for. */
function mounted(pod: PodSpec, directory: string): Record<string, string> {
  const sources = (pod.volumes as readonly Projected[]).flatMap(({ projected }) => projected?.sources ?? []);
  const origins: Record<string, string> = {};
  mkdirSync(directory, { recursive: true });
  for (const { name, items } of sources.map(({ secret }) => secret)) {
    for (const { key, path: file } of items) {
      const setting = SETTING_NAMES.find((candidate) => candidate === file);
      writeFileSync(
        path.join(directory, file),
        setting === undefined || file === 'JWT_SECRET' ? KEY : SETTINGS[setting].example,
      );
      origins[file] = `${name}/${key}`;
    }
  }
  return origins;
}

function registries(objects: readonly KubernetesObject[]): { pod: PodSpec; container: Container }[] {
  return podsOf(objects).flatMap(({ pod }) =>
    pod.spec.containers
      .filter(({ name }) => ['aerugo', 'migrate'].includes(name))
      .map((container) => ({ pod: pod.spec, container })),
  );
}

describe('secrets as files', () => {
  it.each(['production', 'aws', 'trial', 'direct'])(
    'are read by every registry with the values of %s',
    async (name) => {
      const objects = await render([...example(name), ...AS_FILES]);
      expect(registries(objects).length).toBeGreaterThan(0);
      for (const { pod, container } of registries(objects)) {
        const environment = environmentOf(objects, container, (_secret, key) => `a variable has ${key}`);
        const direct = Object.keys(environment).filter((variable) =>
          SECRET_NAMES.some((secret) => secret === variable),
        );
        expect(direct).toEqual([]);
        const directory = scratchDirectory('mounted');
        const origins = mounted(pod, directory);
        const mount = container.volumeMounts?.find((one) => one.name === 'secrets')?.mountPath ?? 'none';
        const here = Object.entries(environment).map(([key, value]) => [key, value.replace(mount, directory)] as const);
        const config = loadConfig(Object.fromEntries(here), null, () => 'never asked');
        expect(config.isProduction).toBe(true);
        expect(config.security.jwtSecret).toBe(KEY);
        if (name === 'production') expect(origins['DATABASE_URL']).toBe('aerugo-database/url');
      }
      expect(await schemaProblems(objects)).toEqual([]);
      expect(await brokenStandards(podsOf(objects))).toEqual([]);
    },
  );

  it('of the production example are those that the deployment page makes, key by key', async () => {
    const page = readFileSync(path.join(import.meta.dirname, '../../docs/DEPLOYMENT.md'), 'utf8');
    const commands = page.replaceAll('\\\n', ' ').matchAll(/create secret generic (\S+) (.*)$/gm);
    const made = [...commands].flatMap(([, name = '', options = '']) =>
      [...options.matchAll(/--from-literal=([\w-]+)=/g)].map(([, key = '']) => `${name}/${key}`),
    );
    const objects = await render(example('production'));
    const variables = registries(objects).flatMap(({ container }) => container.env ?? []);
    const wanted = variables.flatMap(({ valueFrom }) => {
      const { name = '', key = '' } = valueFrom?.secretKeyRef ?? {};
      return name === '' ? [] : [`${name}/${key}`];
    });
    expect(made.sort()).toEqual([...new Set(wanted)].sort());
  });

  it('can be of another volume, each for itself', async () => {
    const file = 'secrets.DATABASE_URL.file=/vault/secrets/database,secrets.DATABASE_URL.secretName=';
    const objects = await render([...example('aws'), '--set', file]);
    for (const { container } of registries(objects)) {
      expect(container.env).toContainEqual({ name: 'DATABASE_URL_FILE', value: '/vault/secrets/database' });
      expect(container.env?.map(({ name }) => name)).toContain('JWT_SECRET');
      expect(container.env?.map(({ name }) => name)).not.toContain('DATABASE_URL');
    }
  });

  it('have one source', async () => {
    await expect(render([...example('aws'), '--set', 'secrets.DATABASE_URL.file=/x'])).rejects.toThrow(
      'secrets.DATABASE_URL has a file and another source: give one',
    );
  });

  it('are variables, unless somebody chooses', async () => {
    const objects = await render(example('production'));
    for (const { pod, container } of registries(objects)) {
      expect(container.env?.filter(({ name }) => name.endsWith('_FILE'))).toEqual([]);
      expect(pod.volumes?.map(({ name }) => name)).not.toContain('secrets');
    }
  });
});

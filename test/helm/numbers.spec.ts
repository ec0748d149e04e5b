// needs: helm kubernetes-validate custom-resources
import { beforeAll, describe, expect, it } from '@jest/globals';
import { cpSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type ListenAddress, type Parser } from '../../src/config/parsers.js';
import { SETTINGS, type SettingName } from '../../src/config/settings.js';
import { scratchDirectory } from '../support/processes.js';
import {
  CHART,
  environmentOf,
  helm,
  KUBERNETES,
  podsOf,
  render,
  schemaProblems,
  theOne,
  type Values,
} from './chart.js';

const MINIMUM: Values = ['--set', 'config.S3_BUCKET=blobs', '--set', 'secrets.DATABASE_URL.secretName=database'];
const REFUSED = '';

const UNITS = ['', 's', 'm', 'h', 'd', 'B', 'KiB', 'MiB', 'GiB', 'TiB', 'kB', 'MB', 'GB', 'TB'];
/** No unit of the registry, although somebody might write it. */
const NO_UNITS = ['S', 'min', 'sec', 'ms', 'w', 'M', 'Mi', 'K', 'mib', 'KB', 'kb', 's m', 'm30s'];
const DIGITS = ['0', '00', '1', '7', '08', '010', '64', '65', '128', '600', '601', '1000', '3600', '3601', '134217728'];
const MORE_DIGITS = [
  '65535',
  '65536',
  '9007199254740991',
  '9007199254740992',
  '99999999999999999999',
  '0000000000000000007',
];
const STRANGE = [
  '',
  ' ',
  's',
  '-1',
  '+1',
  '1.5',
  '1e3',
  '1_000',
  '0x10',
  '１',
  '1 h 1',
  'true',
  'auto',
  '1\n2',
  '\ufeff5\u2003m',
];
const AMOUNTS = [...DIGITS, ...MORE_DIGITS]
  .flatMap((digits): string[] => [
    ...[...UNITS, ...NO_UNITS].map((unit) => `${digits}${unit}`),
    ...['s', 'm', 'MiB', ''].map((unit) => ` ${digits} \t${unit}\u00a0\n`),
  ])
  .concat(STRANGE);
const PORTS = [
  '0',
  '1',
  '80',
  '080',
  '8080',
  '08080',
  '65535',
  '65536',
  '99999',
  '100000',
  '',
  '-1',
  'http',
  '8080 ',
  '8 0',
];
const HOSTS = [
  '',
  '0.0.0.0',
  '127.0.0.1',
  'node.example.com',
  '[::]',
  '[::1]',
  '::',
  ' 0.0.0.0',
  'a b',
  '[::',
  'a]',
  '\u00a0',
];
const ADDRESSES = [
  ...HOSTS.flatMap((host) => PORTS.map((port) => `${host}:${port}`)),
  '8080',
  'tcp://a:80',
  '[::]8080',
];

interface Row {
  readonly setting: SettingName;
  readonly template: string;
  readonly bounds: readonly number[];
  readonly spellings: readonly string[];
}

/** Each setting that the chart calculates with: how the chart reads it, and the bounds that the chart has for it. */
const ROWS: readonly Row[] = [
  { setting: 'SHUTDOWN_DELAY_SECONDS', template: 'readDuration', bounds: [0, 600], spellings: AMOUNTS },
  { setting: 'SHUTDOWN_GRACE_SECONDS', template: 'readDuration', bounds: [0, 3600], spellings: AMOUNTS },
  { setting: 'UPLOAD_MEMORY_BUDGET', template: 'readSize', bounds: [134217728, 9007199254740991], spellings: AMOUNTS },
  { setting: 'DATABASE_MAX_CONNECTIONS', template: 'readCount', bounds: [1, 1000], spellings: AMOUNTS },
  { setting: 'WORKERS', template: 'readCount', bounds: [1, 64], spellings: AMOUNTS },
  { setting: 'LISTEN_ADDRESS', template: 'readPort', bounds: [], spellings: ADDRESSES },
  { setting: 'METRICS_LISTEN_ADDRESS', template: 'readPort', bounds: [], spellings: ADDRESSES },
];

/** What the registry makes of it, as the chart writes it; a port that any may be is of no use to a Service. */
function byRegistry({ setting }: Row, text: string): string {
  try {
    const parse: Parser<unknown> = SETTINGS[setting].parse;
    const value = parse(text);
    if (value === 'auto') return REFUSED; // the chart asks before
    if (typeof value === 'number') return String(value);
    return String((value as ListenAddress).port || REFUSED);
  } catch {
    return REFUSED;
  }
}

/** A chart with a template more that reads every spelling of every row, in one run of helm. */
async function byChart(rows: readonly Row[]): Promise<string[][]> {
  const copy = path.join(scratchDirectory('numbers'), 'aerugo');
  cpSync(CHART, copy, { recursive: true });
  writeFileSync(path.join(copy, 'templates', 'spellings.yaml'), SPELLINGS);
  const values = path.join(scratchDirectory('values'), 'values.json');
  writeFileSync(values, JSON.stringify({ global: { rows } }));
  const args = ['template', 'demo', copy, '--kube-version', KUBERNETES, '--show-only', 'templates/spellings.yaml'];
  const text = await helm([...args, ...MINIMUM, '--values', values]);
  return JSON.parse(/read: (.*)/.exec(text)?.[1] ?? '') as string[][];
}

const SPELLINGS = `
{{- $rows := list -}}
{{- range $row := .Values.global.rows -}}
{{- $read := list -}}
{{- range .spellings -}}
{{- $read = append $read (include (printf "aerugo.%s" $row.template) (concat (list .) $row.bounds)) -}}
{{- end -}}
{{- $rows = append $rows $read -}}
{{- end }}
read: {{ toJson $rows }}
`;

describe('what the chart reads as a number', () => {
  let read: string[][];
  beforeAll(async () => {
    read = await byChart(ROWS);
  });

  it.each(ROWS.map((row, at) => [row.setting, row, at] as const))('%s is what the registry reads', (_name, row, at) => {
    const chart = Object.fromEntries(row.spellings.map((text, index) => [text, read[at]?.[index]]));
    const registry = Object.fromEntries(row.spellings.map((text) => [text, byRegistry(row, text)]));
    expect(chart).toEqual(registry);
    expect(new Set(Object.values(registry)).size).toBeGreaterThan(3);
  });

  it('is of Kubernetes what Kubernetes reads', async () => {
    const quantities = {
      '1Gi': 2 ** 30,
      '1.5Gi': 1.5 * 2 ** 30,
      '.5Gi': 2 ** 29,
      '1280Mi': 1280 * 2 ** 20,
      '1048576Ki': 2 ** 30,
      '1G': 1e9,
      '1e9': 1e9,
      '1E9': 1e9,
      '1E': 1e18,
      '5.': 5,
      '536870912000m': 536870912,
      '1k': 1000,
      '1ki': '',
      '1GB': '',
    };
    const row = {
      setting: 'WORKERS',
      template: 'readQuantity',
      bounds: [],
      spellings: Object.keys(quantities),
    } as const;
    const [numbers] = await byChart([row]);
    expect(numbers).toEqual(Object.values(quantities).map(String));
  });
});

describe("a pod's time to end", () => {
  const TIMES = [
    ['600s', 600],
    ['10m', 600],
    ['1h', 3600],
    [' 1 h ', 3600],
    ['0010m', 600],
    ['60', 60],
    ['0', 0],
    ['', 30],
  ] as const;
  it.each(TIMES)('covers SHUTDOWN_GRACE_SECONDS=%j', async (text, grace) => {
    const objects = await render([...MINIMUM, '--set-json', `config.SHUTDOWN_GRACE_SECONDS=${JSON.stringify(text)}`]);
    expect(endOf(objects)).toBe(10 + grace + 15);
  });

  it('covers the delay before it and preStop, written as numbers too', async () => {
    const times = 'preStopSeconds=7,config.SHUTDOWN_DELAY_SECONDS=2m,config.SHUTDOWN_GRACE_SECONDS=600';
    const objects = await render([...MINIMUM, '--set', times]);
    expect(endOf(objects)).toBe(7 + 120 + 600 + 15);
    expect(nodeOf(objects)).toMatchObject({ lifecycle: { preStop: { sleep: { seconds: 7 } } } });
  });

  it('needs no preStop, since the registry itself goes on serving', async () => {
    const objects = await render(MINIMUM);
    expect(nodeOf(objects)).not.toHaveProperty('lifecycle');
    expect(environmentOf(objects, nodeOf(objects), () => '')).toMatchObject({ SHUTDOWN_DELAY_SECONDS: '10' });
  });
});

function deploymentOf(objects: Awaited<ReturnType<typeof render>>) {
  const found = podsOf(objects).find(({ from }) => from.startsWith('Deployment'));
  if (found === undefined) throw new Error('no Deployment');
  return found.pod.spec;
}

function nodeOf(objects: Awaited<ReturnType<typeof render>>) {
  const [node] = deploymentOf(objects).containers;
  if (node === undefined) throw new Error('no container');
  return node;
}

function endOf(objects: Awaited<ReturnType<typeof render>>): number | undefined {
  return deploymentOf(objects).terminationGracePeriodSeconds;
}

describe('the memory of a node', () => {
  it.each([
    ['1536MiB', '2Gi'],
    ['1GB', '1Gi'],
    ['256MiB', '268435457'],
  ])('may be more than the %s of its uploads: %s', async (budget, limit) => {
    const set = `config.UPLOAD_MEMORY_BUDGET=${budget},resources.limits.memory=${limit}`;
    expect(deploymentOf(await render([...MINIMUM, '--set', set])).containers).toHaveLength(1);
  });

  it.each([
    ['1GiB', '1Gi'],
    ['1 GiB', '1073741824'],
    ['1074MB', '1Gi'],
    ['512MiB', '536870912000m'],
    ['1GiB', '1e9'],
  ])('may not be the %s of its uploads or less: %s', async (budget, limit) => {
    const set = `config.UPLOAD_MEMORY_BUDGET=${budget},resources.limits.memory=${limit}`;
    await expect(render([...MINIMUM, '--set', set])).rejects.toThrow(
      `config.UPLOAD_MEMORY_BUDGET (${budget}) is not below resources.limits.memory (${limit})`,
    );
  });

  it('may be without a limit', async () => {
    const set = 'resources.limits.memory=null,config.UPLOAD_MEMORY_BUDGET=64GiB';
    expect(nodeOf(await render([...MINIMUM, '--set', set])).resources.limits).toEqual({});
  });
});

describe('the families of addresses', () => {
  const BUNDLED = 'metrics.enabled=true,redis.bundled.enabled=true';

  it('are those of every Service, and the nodes listen on them', async () => {
    const families = 'service.ipFamilyPolicy=RequireDualStack,service.ipFamilies={IPv6,IPv4}';
    const objects = await render([...MINIMUM, '--set', BUNDLED, '--set', families]);
    for (const name of ['demo-aerugo', 'demo-aerugo-metrics', 'demo-aerugo-redis']) {
      expect(theOne(objects, 'Service', name).spec).toMatchObject({
        ipFamilyPolicy: 'RequireDualStack',
        ipFamilies: ['IPv6', 'IPv4'],
      });
    }
    expect(theOne(objects, 'ConfigMap', 'demo-aerugo').data).toMatchObject({
      LISTEN_ADDRESS: '[::]:8080',
      METRICS_LISTEN_ADDRESS: '[::]:9090',
    });
    expect(await schemaProblems(objects)).toEqual([]);
  });

  it.each([
    ['service.ipFamilies={IPv6}', '[::]:8080'],
    ['service.ipFamilyPolicy=PreferDualStack', '[::]:8080'],
    ['service.ipFamilyPolicy=SingleStack', '0.0.0.0:8080'],
    ['service.ipFamilies={IPv4}', '0.0.0.0:8080'],
  ])('%s has the nodes listen on %s', async (set, address) => {
    const objects = await render([...MINIMUM, '--set', set]);
    expect(theOne(objects, 'ConfigMap', 'demo-aerugo').data?.['LISTEN_ADDRESS']).toBe(address);
  });

  it("are the cluster's, unless somebody chooses", async () => {
    const { spec } = theOne(await render(MINIMUM), 'Service', 'demo-aerugo');
    expect(Object.keys(spec as object)).not.toEqual(expect.arrayContaining([expect.stringMatching(/^ipFam/)]));
  });
});

describe('an empty setting', () => {
  it('is none, as it is to the registry', async () => {
    const empty = [
      'LISTEN_ADDRESS',
      'DATA_DIR',
      'TLS_CERT_FILE',
      'TLS_KEY_FILE',
      'WORKERS',
      'DATABASE_MAX_CONNECTIONS',
    ];
    const objects = await render([...MINIMUM, '--set', empty.map((name) => `config.${name}=`).join(',')]);
    expect(nodeOf(objects).ports).toEqual([{ name: 'http', containerPort: 8080 }]);
    expect(nodeOf(objects).volumeMounts).toContainEqual({ name: 'data', mountPath: '/data' });
    expect(theOne(objects, 'Service', 'demo-aerugo').spec).toMatchObject({ ports: [{ appProtocol: 'http' }] });
  });
});

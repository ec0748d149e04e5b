// needs: helm kubernetes-validate custom-resources
import { describe, expect, it } from '@jest/globals';
import {
  example,
  EXAMPLES,
  type KubernetesObject,
  ofKind,
  type Pod,
  podsOf,
  render,
  schemaProblems,
  theOne,
  type Values,
} from './chart.js';

const MINIMUM: Values = ['--set', 'config.S3_BUCKET=blobs', '--set', 'secrets.DATABASE_URL.secretName=database'];

async function refusal(values: Values): Promise<string> {
  return render([...MINIMUM, ...values]).then(
    () => 'not refused',
    (error: unknown) => (error as { stderr: string }).stderr,
  );
}

describe('the values', () => {
  const WRONG = [
    ['an unknown name', 'replicas=3', "additional properties 'replicas' not allowed"],
    ['an unknown name inside', 'ingress.host=a', "additional properties 'host' not allowed"],
    ['a setting that there is not', 'config.LOG_LVL=debug', "additional properties 'LOG_LVL' not allowed"],
    ['a secret among the settings', 'config.JWT_SECRET=x', "additional properties 'JWT_SECRET' not allowed"],
    ['a setting among the secrets', 'secrets.LOG_LEVEL.value=x', "additional properties 'LOG_LEVEL' not allowed"],
    ['a number that is none', 'replicaCount=two', 'got string, want integer'],
    ['a port that is none', 'service.port=70000', 'maximum'],
    ['a kind of Service that there is not', 'service.type=Gateway', 'value must be one of'],
    ['a digest that is none', 'image.digest=latest', 'does not match pattern'],
    ['a controller that nobody knows', 'ingress.controller=nginx', 'value must be one of'],
    ['less than no time', 'preStopSeconds=-1', 'minimum'],
    ['an amount of another spelling', 'resources.limits.memory=1ki', 'does not match pattern'],
    ['a family that there is not', 'service.ipFamilies={IPv5}', 'value must be one of'],
    ['a certificate that is in the values', 'tls.cert=x', "additional properties 'cert' not allowed"],
    ['an amount that is none', 'resources.limits.memory=lots', 'does not match pattern'],
  ] as const;
  it.each(WRONG)('are refused with %s', async (_what, set, reason) => {
    expect(await refusal(['--set', set])).toContain(reason);
  });

  const IMPOSSIBLE = [
    ['no database', 'secrets.DATABASE_URL.secretName=', 'no database'],
    ['no bucket', 'config.S3_BUCKET=null', 'no blob storage'],
    ['a secret of two sources', 'secrets.DATABASE_URL.value=postgresql://db/a', 'both a value and a secretName'],
    ['an image of two names', `image.tag=1.0.0,image.digest=sha256:${'0'.repeat(64)}`, 'the digest alone would count'],
    ['two databases', 'postgresql.bundled.enabled=true', 'which one shall it be'],
    ['ways out that nothing closes', 'networkPolicy.egress.extra[0].ports[0].port=4318', 'count only once'],
    ['no time to leave the Service', 'config.SHUTDOWN_DELAY_SECONDS=0', 'close its port while routers still send'],
    ['a time that is none', 'config.SHUTDOWN_GRACE_SECONDS=10min', 'config.SHUTDOWN_GRACE_SECONDS must be a duration'],
    ['a delay beyond the longest', 'config.SHUTDOWN_DELAY_SECONDS=1h', 'must be a duration from 0 to 600 seconds'],
    ['a size that is none', 'config.UPLOAD_MEMORY_BUDGET=256Mi', 'config.UPLOAD_MEMORY_BUDGET must be a size'],
    ['a port that any may be', 'config.LISTEN_ADDRESS=0.0.0.0:0', 'config.LISTEN_ADDRESS must be host:port'],
    ['workers without a number', 'config.WORKERS=many', 'config.WORKERS must be a whole number from 1 to 64'],
    ['no connection', 'config.DATABASE_MAX_CONNECTIONS=0', 'config.DATABASE_MAX_CONNECTIONS must be a whole number'],
    [
      'more upload memory than memory',
      'config.UPLOAD_MEMORY_BUDGET=2GiB',
      'is not below resources.limits.memory (1Gi)',
    ],
    ['a number that the chart cannot see', 'extraEnv[0].name=WORKERS', 'extraEnv has WORKERS, which the chart has to'],
    [
      'two families in a single stack',
      'service.ipFamilyPolicy=SingleStack,service.ipFamilies={IPv4,IPv6}',
      'service.ipFamilies has two',
    ],
    ['a route of no Gateway', 'httpRoute.enabled=true', 'httpRoute.enabled needs httpRoute.parentRefs'],
  ] as const;
  it.each(IMPOSSIBLE)('are refused with %s, in words', async (_what, set, reason) => {
    expect(await refusal(['--set', set])).toContain(reason);
  });

  it('reach the registry as they were written, large numbers too', async () => {
    const objects = await render(example('production'));
    expect(theOne(objects, 'ConfigMap', 'demo-aerugo').data).toMatchObject({
      UPLOAD_EXPIRY_SECONDS: '2592000',
      AUDIT_PULLS: 'true',
      PUBLIC_URL: 'https://registry.example.com',
      SHUTDOWN_GRACE_SECONDS: '60',
    });
  });

  it('that are a setting win over what the chart derives', async () => {
    const route = ['--set', 'ingress.enabled=true', '--set', 'ingress.hosts[0]=a.example.com'];
    const derived = theOne(await render([...MINIMUM, ...route]), 'ConfigMap').data;
    expect(derived?.['PUBLIC_URL']).toBe('http://a.example.com');
    const chosen = await render([...MINIMUM, ...route, '--set', 'config.PUBLIC_URL=https://b.example.com']);
    expect(theOne(chosen, 'ConfigMap').data?.['PUBLIC_URL']).toBe('https://b.example.com');
  });
});

describe('the scrub', () => {
  it('is on for the store that the chart brings, which keeps plain files, and can be switched off', async () => {
    const rateWith = async (...values: string[]): Promise<string | undefined> =>
      theOne(await render(values), 'ConfigMap', 'demo-aerugo').data?.['SCRUB_BYTES_PER_SECOND'];
    const bundled = ['--set', 'secrets.DATABASE_URL.secretName=database', '--set', 's3.bundled.enabled=true'];
    expect(await rateWith(...MINIMUM)).toBeUndefined();
    expect(await rateWith(...bundled)).toBe('4MiB');
    expect(await rateWith(...bundled, '--set-string', 'config.SCRUB_BYTES_PER_SECOND=0')).toBe('0');
  });
});

describe('the ingress', () => {
  const UNLIMITED = [
    ['ingress-nginx', 'nginx.ingress.kubernetes.io/proxy-body-size', '0'],
    ['ingress-nginx', 'nginx.ingress.kubernetes.io/proxy-request-buffering', 'off'],
    ['ingress-nginx', 'nginx.ingress.kubernetes.io/proxy-buffering', 'off'],
    ['nginx-ingress', 'nginx.org/client-max-body-size', '0'],
    ['nginx-ingress', 'nginx.org/location-snippets', 'proxy_request_buffering off;'],
    ['nginx-ingress', 'nginx.org/server-snippets', 'large_client_header_buffers 4 64k;'],
    ['nginx-ingress', 'nginx.org/proxy-buffering', 'False'],
    ['haproxy-ingress', 'haproxy-ingress.github.io/proxy-body-size', 'unlimited'],
    ['aws-load-balancer-controller', 'alb.ingress.kubernetes.io/target-type', 'ip'],
  ] as const;
  it.each(UNLIMITED)('of %s has %s: %s', async (controller, annotation, value) => {
    const route = [
      '--set',
      'ingress.enabled=true,ingress.hosts[0]=a.example.com',
      '--set',
      `ingress.controller=${controller}`,
    ];
    const objects = await render([...MINIMUM, ...route]);
    expect(theOne(objects, 'Ingress').metadata.annotations?.[annotation]?.trim()).toBe(value);
    expect(await schemaProblems(ofKind(objects, 'Ingress'))).toEqual([]);
  });
});

describe('TLS to the pods', () => {
  const SECURE = [...MINIMUM, '--set', 'tls.secretName=registry-tls'];

  it('is what probes, the Service and helm test speak, and without it none of them does', async () => {
    for (const [values, schemes] of [
      [SECURE, ['HTTPS', 'https', 'https']],
      [MINIMUM, [undefined, 'http', 'http']],
    ] as const) {
      const objects = await render(values);
      const { template } = theOne(objects, 'Deployment').spec as { template: Pod };
      const probes = template.spec.containers.flatMap((container) =>
        ['startupProbe', 'livenessProbe', 'readinessProbe'].map(
          (probe) => (container as unknown as Record<string, { httpGet: { scheme?: string } }>)[probe]?.httpGet.scheme,
        ),
      );
      const { ports } = theOne(objects, 'Service', 'demo-aerugo').spec as { ports: { appProtocol: string }[] };
      const [test] = podsOf(objects).filter(({ from }) => from.startsWith('Pod'));
      const url = test?.pod.spec.containers[0]?.env?.find(({ name }) => name === 'HEALTH_URL')?.value ?? '';
      expect([...new Set(probes), ports[0]?.appProtocol, new URL(url).protocol.replace(':', '')]).toEqual(schemes);
    }
  });

  it('gives the key to the nodes alone, in a directory that changes with the Secret', async () => {
    const objects = await render(SECURE);
    const mounts = podsOf(objects).flatMap(({ from, pod }) =>
      pod.spec.containers.flatMap(({ volumeMounts = [] }) =>
        volumeMounts.filter(({ name }) => name === 'tls').map((mount) => ({ from, mount, volumes: pod.spec.volumes })),
      ),
    );
    expect(mounts.map(({ from }) => from.split(' ')[0])).toEqual(['Deployment', 'Pod']);
    for (const { mount } of mounts) expect(mount).not.toHaveProperty('subPath');
    const [, ofTest] = mounts;
    expect(ofTest?.volumes).toEqual([
      expect.objectContaining({ secret: expect.objectContaining({ items: [{ key: 'tls.crt', path: 'tls.crt' }] }) }),
    ]);
  });

  const BACKENDS = [
    ['ingress-nginx', 'nginx.ingress.kubernetes.io/backend-protocol', 'HTTPS'],
    ['nginx-ingress', 'nginx.org/ssl-services', 'demo-aerugo'],
    ['haproxy-ingress', 'haproxy-ingress.github.io/backend-protocol', 'h1-ssl'],
    ['aws-load-balancer-controller', 'alb.ingress.kubernetes.io/backend-protocol', 'HTTPS'],
  ] as const;
  it.each(BACKENDS)('is what %s is told to speak', async (controller, annotation, value) => {
    const route = ['--set', `ingress.enabled=true,ingress.hosts[0]=a.example.com,ingress.controller=${controller}`];
    const annotations = async (values: Values): Promise<string | undefined> =>
      theOne(await render([...values, ...route]), 'Ingress').metadata.annotations?.[annotation];
    expect([await annotations(SECURE), await annotations(MINIMUM)]).toEqual([value, undefined]);
  });
});

describe('the network policy', () => {
  interface Policy {
    podSelector: { matchLabels: Record<string, string> };
    policyTypes: string[];
    ingress: { ports: { port: unknown }[]; from?: unknown[] }[];
    egress?: unknown[];
  }
  const policies = (objects: readonly KubernetesObject[]): Policy[] =>
    ofKind(objects, 'NetworkPolicy').map(({ spec }) => spec as Policy);

  it('is there by default: the registry for everybody, metrics for the cluster, no other way in', async () => {
    const objects = await render([...MINIMUM, '--set', 'metrics.enabled=true']);
    const { spec } = theOne(objects, 'NetworkPolicy', 'demo-aerugo');
    expect(spec).toMatchObject({
      policyTypes: ['Ingress'],
      ingress: [{ ports: [{ port: 'http' }] }, { ports: [{ port: 'metrics' }], from: [{ namespaceSelector: {} }] }],
    });
    expect(spec).not.toHaveProperty('egress');
    const [http] = (spec as Policy).ingress;
    expect(http).not.toHaveProperty('from');
    expect(theOne(objects, 'NetworkPolicy', 'demo-aerugo-migrate').spec).toMatchObject({ ingress: [] });
    expect(await schemaProblems(ofKind(objects, 'NetworkPolicy'))).toEqual([]);
  });

  it.each(['postgresql', 'redis', 'redis,s3', 'postgresql,redis,s3'])(
    'closes the bundled %s by default to everything but the nodes, and their way out',
    async (parts) => {
      const set = parts.split(',').map((part) => `${part}.bundled.enabled=true`);
      const own = parts.includes('postgresql') ? ['--set', 'secrets.DATABASE_URL.secretName='] : [];
      const objects = await render([...MINIMUM, '--set', set.join(','), ...own]);
      const bundled = policies(objects).filter(({ podSelector }) =>
        parts.split(',').includes(podSelector.matchLabels['app.kubernetes.io/component'] ?? ''),
      );
      expect(bundled).toHaveLength(set.length);
      const nodes = { matchLabels: expect.objectContaining({ 'app.kubernetes.io/component': 'registry' }) as unknown };
      for (const policy of bundled) {
        expect(policy).toMatchObject({ policyTypes: ['Ingress', 'Egress'], egress: [] });
        expect(policy.ingress).toEqual([{ ports: [expect.anything()], from: [{ podSelector: nodes }] }]);
      }
    },
  );

  it('covers every pod that serves, with the values of each example', async () => {
    for (const name of EXAMPLES) {
      const objects = await render(example(name));
      const serving = podsOf(objects).filter(({ pod }) =>
        pod.spec.containers.some(({ ports = [] }) => ports.length > 0),
      );
      const open = serving.filter(
        ({ pod }) =>
          !policies(objects).some(({ podSelector }) =>
            Object.entries(podSelector.matchLabels).every(([key, value]) => pod.metadata.labels?.[key] === value),
          ),
      );
      expect([name, open.map(({ from }) => from)]).toEqual([name, []]);
    }
  });

  it('can be left out', async () => {
    expect(policies(await render([...MINIMUM, '--set', 'networkPolicy.enabled=false']))).toEqual([]);
  });

  it('lets a node go to names, PostgreSQL, Redis and S3 only, and in from whom it names', async () => {
    const { spec } = theOne(await render(example('production')), 'NetworkPolicy', 'demo-aerugo');
    const { ingress, egress, policyTypes } = spec as Record<string, { ports: { port: unknown }[]; from?: unknown[] }[]>;
    expect(policyTypes).toEqual(['Ingress', 'Egress']);
    expect(egress?.map(({ ports }) => ports.map(({ port }) => port))).toEqual([[53, 53], [5432], [6380], [443]]);
    expect(ingress?.every(({ from = [] }) => from.length > 0)).toBe(true);
  });
});

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { onFileEnd, scratchDirectory } from '../support/processes.js';
import type { KubernetesObject } from './chart.js';

/** Kinds that the chart makes, by the path of their API. */
const APIS: Record<string, Record<string, string>> = {
  '/api/v1': {
    Pod: 'pods',
    Secret: 'secrets',
    ConfigMap: 'configmaps',
    Service: 'services',
    ServiceAccount: 'serviceaccounts',
  },
  '/apis/apps/v1': { Deployment: 'deployments', StatefulSet: 'statefulsets' },
  '/apis/batch/v1': { Job: 'jobs' },
  '/apis/policy/v1': { PodDisruptionBudget: 'poddisruptionbudgets' },
  '/apis/autoscaling/v2': { HorizontalPodAutoscaler: 'horizontalpodautoscalers' },
  '/apis/networking.k8s.io/v1': { NetworkPolicy: 'networkpolicies', Ingress: 'ingresses' },
  '/apis/gateway.networking.k8s.io/v1': { HTTPRoute: 'httproutes' },
};

type Stored = Record<string, unknown> & { metadata: Record<string, unknown> & { name: string } };

/**
 * As much of an API server as helm needs: it keeps objects, and says of every Job that it is complete. It judges
 * nothing; whether objects are right is what the schemas are for.
 */
export class ApiServer {
  private readonly objects = new Map<string, Stored>();
  /** Each object that was made, in order, as `Kind name`. */
  readonly made: string[] = [];
  private version = 0;

  private constructor(readonly kubeconfig: string) {}

  static async start(): Promise<ApiServer> {
    const kubeconfig = path.join(scratchDirectory('cluster'), 'kubeconfig');
    const api = new ApiServer(kubeconfig);
    const server = createServer((request, response) => {
      void api.answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const named = { name: 'test' };
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      clusters: [{ ...named, cluster: { server: `http://127.0.0.1:${port}` } }],
      contexts: [{ ...named, context: { cluster: 'test', user: 'test' } }],
      users: [{ ...named, user: {} }],
    };
    writeFileSync(kubeconfig, JSON.stringify(config));
    onFileEnd(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return api;
  }

  get(kind: string, name: string): KubernetesObject | undefined {
    const found = [...this.objects.values()].find((one) => one['kind'] === kind && one.metadata.name === name);
    return found as KubernetesObject | undefined;
  }

  names(kind: string): string[] {
    return [...this.objects.values()].filter((one) => one['kind'] === kind).map(({ metadata }) => metadata.name);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const body = await bodyOf(request);
    const { status, answer } = this.handle(request.method ?? 'GET', url, body);
    response.writeHead(status, { 'Content-Type': 'application/json' });
    if (url.searchParams.get('watch') !== 'true') response.end(JSON.stringify(answer));
    else for (const event of watched(answer)) response.write(JSON.stringify(event));
  }

  private handle(
    method: string,
    { pathname, searchParams }: URL,
    body: Stored | null,
  ): { status: number; answer: unknown } {
    const discovered = discovery(pathname);
    if (discovered !== null) return { status: 200, answer: discovered };
    const found = this.objects.get(pathname);
    if (method === 'POST' && body !== null) return this.create(pathname, body);
    if (found === undefined && /\/namespaces\/[^/]+\/[^/]+$/.test(pathname)) return this.list(pathname, searchParams);
    if (found === undefined) return { status: 404, answer: failure(404, 'NotFound') };
    if (method === 'DELETE') this.objects.delete(pathname);
    if (method === 'PATCH' || method === 'PUT') {
      const changed = method === 'PUT' && body !== null ? body : (merge(found, body) as Stored);
      this.objects.set(pathname, changed);
      return { status: 200, answer: changed };
    }
    return { status: 200, answer: found };
  }

  private create(pathname: string, body: Stored): { status: number; answer: unknown } {
    const key = `${pathname}/${body.metadata.name}`;
    if (this.objects.has(key)) return { status: 409, answer: failure(409, 'AlreadyExists') };
    this.version += 1;
    const metadata = { ...body.metadata, uid: `uid-${this.version}`, resourceVersion: String(this.version) };
    const status = { conditions: [{ type: 'Complete', status: 'True' }], succeeded: 1, phase: 'Succeeded' };
    const stored = { ...body, metadata, ...(['Job', 'Pod'].includes(String(body['kind'])) ? { status } : {}) };
    this.objects.set(key, stored);
    if (!body.metadata.name.startsWith('sh.helm.')) this.made.push(`${String(body['kind'])} ${body.metadata.name}`);
    return { status: 201, answer: stored };
  }

  private list(pathname: string, parameters: URLSearchParams): { status: number; answer: unknown } {
    const named = /metadata\.name=([^,]+)/.exec(parameters.get('fieldSelector') ?? '')?.[1];
    const labels = (parameters.get('labelSelector') ?? '').split(',').filter(Boolean);
    const items = [...this.objects].flatMap(([key, one]) => {
      const own = (one.metadata['labels'] ?? {}) as Record<string, string>;
      const isMeant = labels.every((label) => own[label.split('=')[0] ?? ''] === label.split('=').at(-1));
      const isHere = key.startsWith(`${pathname}/`) && (named === undefined || one.metadata.name === named);
      return isHere && isMeant ? [one] : [];
    });
    const [first] = Object.entries(APIS).filter(([api]) => pathname.startsWith(`${api}/`));
    const kind = Object.entries(first?.[1] ?? {}).find(([, plural]) => pathname.endsWith(`/${plural}`))?.[0] ?? '';
    const apiVersion = first?.[0].replace(/^\/apis?\//, '');
    return { status: 200, answer: { kind: `${kind}List`, apiVersion, metadata: { resourceVersion: '1' }, items } };
  }
}

/** What a watch says first: the objects that there are, then that these were all. Nothing changes later. */
function watched(list: unknown): unknown[] {
  const { items = [] } = list as { items?: Stored[] };
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  const end = { ...items[0], metadata: { resourceVersion: '1', annotations } };
  return [...items.map((object) => ({ type: 'ADDED', object })), { type: 'BOOKMARK', object: end }];
}

async function bodyOf(request: IncomingMessage): Promise<Stored | null> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? null : (JSON.parse(Buffer.concat(chunks).toString()) as Stored);
}

function discovery(pathname: string): unknown {
  if (pathname === '/version') return { major: '1', minor: '37', gitVersion: 'v1.37.0' };
  if (pathname === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (pathname === '/apis') {
    const groups = Object.keys(APIS).filter((api) => api.startsWith('/apis/'));
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupOf) };
  }
  if (pathname.startsWith('/openapi/v3')) return openApi(pathname.replace('/openapi/v3', ''));
  const kinds = APIS[pathname];
  if (kinds === undefined) return null;
  const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];
  const resources = Object.entries(kinds).map(([kind, name]) => ({
    kind,
    name,
    singularName: '',
    namespaced: true,
    verbs,
  }));
  return { kind: 'APIResourceList', groupVersion: pathname.replace(/^\/apis?\//, ''), resources };
}

/** That the server itself looks for unknown fields, so that helm does not. */
function openApi(api: string): unknown {
  if (api === '') {
    const paths = Object.keys(APIS).map((one) => [one.slice(1), { serverRelativeURL: `/openapi/v3${one}` }]);
    return { paths: Object.fromEntries(paths) as unknown };
  }
  const [version = '', group = ''] = api
    .replace(/^\/apis?\//, '')
    .split('/')
    .reverse();
  const paths = Object.entries(APIS[api] ?? {}).map(([kind, plural]) => {
    const parameters = [{ name: 'fieldValidation', in: 'query' }];
    const patch = { parameters, 'x-kubernetes-group-version-kind': { group, version, kind }, responses: {} };
    return [`${api}/namespaces/{namespace}/${plural}/{name}`, { patch }];
  });
  return { openapi: '3.0.0', info: { title: 'test', version }, paths: Object.fromEntries(paths) as unknown };
}

function groupOf(api: string): unknown {
  const groupVersion = api.replace('/apis/', '');
  const [name = '', version = ''] = groupVersion.split('/');
  const known = { groupVersion, version };
  return { name, versions: [known], preferredVersion: known };
}

function failure(code: number, reason: string): unknown {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: reason };
}

/** RFC 7396, which is enough for what helm changes here. */
function merge(target: unknown, patch: unknown): unknown {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const made: Record<string, unknown> =
    target !== null && typeof target === 'object' && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(made, key);
    else made[key] = merge(made[key], value);
  }
  return made;
}

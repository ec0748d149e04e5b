import { execFile } from 'node:child_process';
import { readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { loadAll } from 'js-yaml';
import { needProgram } from '../support/processes.js';

const run = promisify(execFile);

export const CHART = path.join(import.meta.dirname, '../../helm/aerugo');
/** What `helm template` without a cluster renders for, and the schemas that it is held against. */
export const KUBERNETES = '1.37';
export const NAMESPACE = 'registry';

/** The chart's example values, by their names without `-values.yaml`. */
export const EXAMPLES = readdirSync(path.join(CHART, 'ci'))
  .filter((file) => file.endsWith('-values.yaml'))
  .map((file) => file.replace('-values.yaml', ''))
  .sort();

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: unknown;
}

export interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
}

export interface Container {
  readonly name: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly Variable[];
  readonly envFrom?: readonly { readonly configMapRef?: { readonly name: string } }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly resources: { readonly limits: { readonly memory: string } };
}

export interface PodSpec {
  readonly automountServiceAccountToken?: boolean;
  readonly serviceAccountName?: string;
  readonly terminationGracePeriodSeconds?: number;
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly { readonly name: string }[];
}

export interface Pod {
  readonly metadata: { readonly name?: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec: PodSpec;
}

/** Arguments that give values: `--set` pairs, or a file's name with its path. */
export type Values = readonly string[];

export function example(name: string): Values {
  return ['--values', path.join(CHART, 'ci', `${name}-values.yaml`)];
}

export async function helm(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const { stdout } = await run(needProgram('helm'), args, {
    env: { ...process.env, ...env },
    maxBuffer: 64 * 2 ** 20,
  });
  return stdout;
}

export async function render(values: Values, more: readonly string[] = []): Promise<KubernetesObject[]> {
  const args = ['template', 'demo', CHART, '--namespace', NAMESPACE, '--kube-version', KUBERNETES];
  return parse(await helm([...args, ...values, ...more]));
}

export function parse(text: string): KubernetesObject[] {
  return loadAll(text).filter((document): document is KubernetesObject => document !== null);
}

export function ofKind(objects: readonly KubernetesObject[], kind: string): KubernetesObject[] {
  return objects.filter((object) => object.kind === kind);
}

/** Throws unless there is exactly one. */
export function theOne(objects: readonly KubernetesObject[], kind: string, name?: string): KubernetesObject {
  const [found, ...others] = ofKind(objects, kind).filter(
    ({ metadata }) => name === undefined || metadata.name === name,
  );
  if (found === undefined || others.length > 0)
    throw new Error(`${others.length + (found ? 1 : 0)} of ${kind} ${name}`);
  return found;
}

/** Every pod that the objects make, hooks and tests too. */
export function podsOf(objects: readonly KubernetesObject[]): { from: string; pod: Pod }[] {
  return objects.flatMap((object) => {
    const from = `${object.kind} ${object.metadata.name}`;
    if (object.kind === 'Pod') return [{ from, pod: object as unknown as Pod }];
    const { template } = (object.spec ?? {}) as { template?: Pod };
    return template === undefined ? [] : [{ from, pod: template }];
  });
}

/** What a container of a pod gets as its environment; a value from a Secret is what `secret` says of it. */
export function environmentOf(
  objects: readonly KubernetesObject[],
  container: Container,
  secret: (name: string, key: string, variable: string) => string,
): Record<string, string> {
  const maps = (container.envFrom ?? []).map(({ configMapRef }) => {
    if (configMapRef === undefined) return {};
    return theOne(objects, 'ConfigMap', configMapRef.name).data ?? {};
  });
  const own = (container.env ?? []).map(({ name, value, valueFrom }) => {
    const reference = valueFrom?.secretKeyRef;
    return [name, reference === undefined ? (value ?? '') : secret(reference.name, reference.key, name)] as const;
  });
  return Object.assign({}, ...maps, Object.fromEntries(own)) as Record<string, string>;
}

/** Kinds of operators' own, which Kubernetes has no schema of. */
const CUSTOM = /^(gateway\.networking\.k8s\.io|monitoring\.coreos\.com)\//;

/** What is wrong with each of the objects, by Kubernetes' schemas and, of custom resources, by their operators' types. */
export async function schemaProblems(objects: readonly KubernetesObject[]): Promise<string[]> {
  const python = path.join(path.dirname(realpathSync(needProgram('kubernetes-validate'))), 'python');
  const script = path.join(import.meta.dirname, 'schemas/check.py');
  const [own, custom] = [
    objects.filter(({ apiVersion }) => !CUSTOM.test(apiVersion)),
    objects.filter(({ apiVersion }) => CUSTOM.test(apiVersion)),
  ];
  return [
    ...problemsOf(own, await judge(python, [script, KUBERNETES], own)),
    ...problemsOf(custom, await judge(needProgram('custom-resources'), [], custom)),
  ];
}

function problemsOf(objects: readonly KubernetesObject[], answers: readonly (string | null)[]): string[] {
  return answers.flatMap((answer, index) => {
    const object = objects[index];
    return answer === null ? [] : [`${object?.kind} ${object?.metadata.name}: ${answer}`];
  });
}

/** What each pod breaks of the "restricted" standard, as the API server judges it. */
export async function brokenStandards(pods: readonly { from: string; pod: Pod }[]): Promise<string[]> {
  const bare = pods.map(({ pod: { metadata, spec } }) => ({ metadata, spec }));
  const answers = await judge<string[]>(needProgram('pod-standard'), [], bare);
  return answers.flatMap((broken, index) => broken.map((one) => `${pods[index]?.from}: ${one}`));
}

async function judge<T>(program: string, args: readonly string[], input: readonly unknown[]): Promise<T[]> {
  const running = run(program, args, { maxBuffer: 64 * 2 ** 20 });
  running.child.stdin?.end(JSON.stringify(input));
  const { stdout } = await running;
  const answers = JSON.parse(stdout) as T[];
  if (answers.length !== input.length) throw new Error(`${answers.length} answers to ${input.length} questions`);
  return answers;
}

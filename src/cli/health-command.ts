import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { errorCode } from '../config/error-code.js';
import { readProxies } from '../config/read-config.js';
import { agentFor } from '../outgoing/agents.js';
import { Proxies } from '../outgoing/proxies.js';
import { CliError, EXIT_CODES, type ExitCode } from './exit-codes.js';
import { type LocalNode, localNode } from './local-node.js';
import { print, type OutputOptions } from './output.js';

const PATH = '/api/v1/health';

export interface HealthOptions extends OutputOptions {
  readonly url?: URL;
  /** Seconds. */
  readonly timeout: number;
}

interface Answer {
  readonly status: string;
  readonly checks: Readonly<Record<string, string>>;
  /** A node of an earlier version has none. */
  readonly writes?: Readonly<Record<string, string>>;
}

/** Throws `CliError` when there is no answer, or one of another server. */
export async function healthCommand(options: HealthOptions): Promise<ExitCode> {
  const timeoutMs = options.timeout * 1000;
  const node: LocalNode = options.url === undefined ? localNode(timeoutMs) : { url: options.url };
  const url = new URL(PATH, node.url);
  const { status, body } = await get({ ...node, url }, timeoutMs);
  const health = readAnswer(body);
  if (health === null) throw new CliError(`${url.origin} answered ${status}, and not as an Aerugo node does`);
  const parts = Object.entries(health.checks).map(([part, state]) => `${part} ${state}`);
  for (const [part, state] of Object.entries(health.writes ?? {}))
    if (state !== 'ok') parts.push(`${part} takes no writes (${state})`);
  print(options, { url: url.origin, ...health }, [`${health.status}: ${parts.join(', ')}`]);
  return status === 200 ? EXIT_CODES.ok : EXIT_CODES.failed;
}

async function get({ url, agent }: LocalNode, timeoutMs: number): Promise<{ status: number; body: string }> {
  // Not fetch, whose loading takes longer than everything else here.
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request(
        url,
        { agent: agent ?? agentFor(url, new Proxies(readProxies()), {}), signal: AbortSignal.timeout(timeoutMs) },
        resolve,
      )
        .on('error', reject)
        .end();
    });
    return { status: response.statusCode ?? 0, body: await text(response) };
  } catch (error) {
    if (error instanceof CliError) throw error;
    const isLate = error instanceof Error && error.name === 'AbortError';
    const reason = isLate ? `no answer in ${timeoutMs / 1000} s` : errorCode(error);
    throw new CliError(`${url.origin} does not answer: ${reason}`, EXIT_CODES.failed, { cause: error });
  }
}

function readAnswer(body: string): Answer | null {
  try {
    const answer = JSON.parse(body) as Partial<Answer> | null;
    const { status, checks, writes } = answer ?? {};
    if (typeof status !== 'string' || typeof checks !== 'object' || (checks as unknown) === null) return null;
    return { status, checks, ...(typeof writes === 'object' && (writes as unknown) !== null && { writes }) };
  } catch {
    return null;
  }
}

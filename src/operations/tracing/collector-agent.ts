import { readFileSync } from 'node:fs';
import type { Agent } from 'node:http';
import { getStringFromEnv } from '@opentelemetry/core';
import { agentFor } from '../../outgoing/agents.js';
import type { Proxies } from '../../outgoing/proxies.js';

const DEFAULT_ENDPOINT = 'http://localhost:4318';

/**
 * What the exporter makes its connections with where a proxy is between it and the collector; `undefined`: its own. It
 * reads these files by itself only for its own.
 */
export function collectorAgent(proxies: Proxies): (() => Agent) | undefined {
  const endpoint = standard('ENDPOINT') ?? DEFAULT_ENDPOINT;
  const url = URL.canParse(endpoint) ? new URL(endpoint) : null;
  if (url === null || proxies.for(url) === null) return undefined;
  const files = { ca: read('CERTIFICATE'), cert: read('CLIENT_CERTIFICATE'), key: read('CLIENT_KEY') };
  return () => agentFor(url, proxies, { keepAlive: true, ...files });
}

function standard(name: string): string | undefined {
  return getStringFromEnv(`OTEL_EXPORTER_OTLP_TRACES_${name}`) ?? getStringFromEnv(`OTEL_EXPORTER_OTLP_${name}`);
}

/** What cannot be read is as if it were not given, as with the exporter's own agent. */
function read(name: string): Buffer | undefined {
  const path = standard(name);
  try {
    return path === undefined ? undefined : readFileSync(path);
  } catch {
    return undefined;
  }
}

const PROTOCOLS = ['http/protobuf', 'http/json'] as const;
export type TracingProtocol = (typeof PROTOCOLS)[number];

export interface TracingConfig {
  /** How spans go to the collector; `null`: there are no traces. */
  readonly protocol: TracingProtocol | null;
  /** Why there are none although a variable asks for them, without a value of any. */
  readonly problem: string | null;
}

const OFF: TracingConfig = { protocol: null, problem: null };

/**
 * Whether there are traces, from the standard variables of OpenTelemetry; the rest of them its SDK reads by itself.
 * A variable that cannot be followed is no reason not to start: an operator of a cluster may give it to every pod.
 */
export function tracingOf(environment: Readonly<Record<string, string | undefined>>): TracingConfig {
  const given = (name: string): string | null => environment[name]?.trim() || null;
  const endpointName = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'].find(given) ?? null;
  const exporter = given('OTEL_TRACES_EXPORTER');
  if (given('OTEL_SDK_DISABLED')?.toLowerCase() === 'true' || exporter === 'none') return OFF;
  if (exporter === null && endpointName === null) return OFF;
  if (exporter !== null && exporter !== 'otlp') return refused('OTEL_TRACES_EXPORTER must be otlp or none');
  if (endpointName !== null && !isHttp(given(endpointName) ?? '')) {
    return refused(`${endpointName} must be a URL such as http://collector:4318`);
  }
  const protocolName = ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'].find(given);
  if (protocolName === undefined) return { protocol: 'http/protobuf', problem: null };
  const protocol = PROTOCOLS.find((known) => known === given(protocolName)) ?? null;
  return protocol === null ? refused(`${protocolName} must be ${PROTOCOLS.join(' or ')}`) : { protocol, problem: null };
}

function refused(reason: string): TracingConfig {
  return { protocol: null, problem: `${reason}: there are no traces` };
}

function isHttp(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

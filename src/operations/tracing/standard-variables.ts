import { getNumberFromEnv, getStringFromEnv, getStringListFromEnv } from '@opentelemetry/core';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  type BatchSpanProcessorOptions,
  ParentBasedSampler,
  type Sampler,
  type SpanLimits,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';

// Since its third version the SDK reads these only together with packages for metrics, logs and gRPC that are not
// needed here. Exporters and resources read theirs by themselves.

export interface StandardVariables {
  readonly sampler: Sampler;
  readonly batch: Omit<BatchSpanProcessorOptions, 'exporter'>;
  readonly limits: SpanLimits;
  /** Whether a `traceparent` of the client is followed. */
  readonly followsClients: boolean;
  /** What is not as the specification says, without values. */
  readonly problems: readonly string[];
}

const SAMPLERS: Readonly<Record<string, (ratio: number) => Sampler>> = {
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: (ratio) => new TraceIdRatioBasedSampler(ratio),
  parentbased_always_on: () => new ParentBasedSampler({ root: new AlwaysOnSampler() }),
  parentbased_always_off: () => new ParentBasedSampler({ root: new AlwaysOffSampler() }),
  parentbased_traceidratio: (ratio) => new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
};
const DEFAULT_SAMPLER = 'parentbased_always_on';
/** Nothing reads baggage here, and nothing sends it on. */
const PROPAGATORS: readonly string[] = ['tracecontext', 'baggage', 'none'];

/** What the specification of OpenTelemetry says of the variables of this process, with its defaults. */
export function readStandardVariables(): StandardVariables {
  const problems: string[] = [];
  return {
    sampler: readSampler(problems),
    batch: given({
      maxQueueSize: positive('OTEL_BSP_MAX_QUEUE_SIZE', problems),
      maxExportBatchSize: positive('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', problems),
      scheduledDelayMillis: positive('OTEL_BSP_SCHEDULE_DELAY', problems),
      exportTimeoutMillis: positive('OTEL_BSP_EXPORT_TIMEOUT', problems),
    }),
    limits: given({
      attributeCountLimit: positive('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', problems),
      attributeValueLengthLimit: positive('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', problems),
      eventCountLimit: positive('OTEL_SPAN_EVENT_COUNT_LIMIT', problems),
    }),
    followsClients: followsClients(problems),
    problems,
  };
}

function readSampler(problems: string[]): Sampler {
  const name = getStringFromEnv('OTEL_TRACES_SAMPLER')?.trim() ?? DEFAULT_SAMPLER;
  const ratio = getNumberFromEnv('OTEL_TRACES_SAMPLER_ARG') ?? 1;
  const make = Object.hasOwn(SAMPLERS, name) ? SAMPLERS[name] : undefined;
  if (make === undefined) problems.push(`OTEL_TRACES_SAMPLER is not known, ${DEFAULT_SAMPLER} is used`);
  const isRatio = ratio >= 0 && ratio <= 1;
  if (name.endsWith('ratio') && !isRatio) problems.push('OTEL_TRACES_SAMPLER_ARG must be from 0 to 1, 1 is used');
  return (make ?? (() => new ParentBasedSampler({ root: new AlwaysOnSampler() })))(isRatio ? ratio : 1);
}

function followsClients(problems: string[]): boolean {
  const names = getStringListFromEnv('OTEL_PROPAGATORS') ?? ['tracecontext'];
  const isKnown = names.every((name) => PROPAGATORS.includes(name));
  if (!isKnown) problems.push('OTEL_PROPAGATORS: only tracecontext is followed');
  return names.includes('tracecontext') && !names.includes('none');
}

function positive(name: string, problems: string[]): number | undefined {
  const value = getNumberFromEnv(name);
  if (value === undefined || value > 0) return value;
  problems.push(`${name} must be more than 0, the default is used`);
  return undefined;
}

/** Without what is undefined: the SDK has its own defaults. */
function given<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

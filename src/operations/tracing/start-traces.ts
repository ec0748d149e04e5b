import { hostname } from 'node:os';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { setGlobalErrorHandler, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  type Resource,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import type { TracingProtocol } from '../../config/tracing.js';
import { PROGRAM_VERSION } from '../../config/program-version.js';
import type { Proxies } from '../../outgoing/proxies.js';
import { CleanExporter } from './clean-exporter.js';
import { collectorAgent } from './collector-agent.js';
import { CollectorReport } from './collector-report.js';
import { traceDependencies } from './instrumentations.js';
import { TraceIds } from './trace-ids.js';
import { RequestSampler } from './request-sampler.js';
import { RequestTracer } from './request-tracer.js';
import { readStandardVariables } from './standard-variables.js';
import type { Traces } from './traces.js';

const SERVICE = 'aerugo';
/** For a collector to take the last spans: a stop does not wait for one that hangs. */
const CLOSE_MS = 1_500;

const EXPORTERS = {
  'http/protobuf': ProtobufExporter,
  'http/json': JsonExporter,
} as const satisfies Record<TracingProtocol, new () => SpanExporter>;

/** Call it once in a process, before `pg`, `redis` or the S3 SDK are loaded. */
export function startTraces(protocol: TracingProtocol, proxies: Proxies): Traces {
  traceDependencies();
  const { sampler, batch, limits, followsClients, problems } = readStandardVariables();
  const report = new CollectorReport();
  setGlobalErrorHandler(() => undefined); // a batch that could not be sent: the report has told it
  const agent = collectorAgent(proxies);
  const exporter = new EXPORTERS[protocol](agent === undefined ? {} : { httpAgentOptions: agent });
  const ids = new TraceIds();
  const provider = new TracerProvider({
    resource: describeProcess(),
    sampler: new RequestSampler(sampler),
    idGenerator: ids,
    spanLimits: limits,
    spanProcessors: [new BatchSpanProcessor({ ...batch, exporter: new CleanExporter(exporter, report) })],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  const requests = new RequestTracer({
    tracer: provider.getTracer(SERVICE, PROGRAM_VERSION),
    ids,
    sampler,
    propagator: followsClients ? new W3CTraceContextPropagator() : null,
  });
  return {
    follow: (request, response, next) => {
      requests.follow(request, response, next);
    },
    tell: (log) => {
      report.log = log;
      for (const problem of problems) log.warn(problem);
      log.info({ event: 'traces', protocol }, 'requests are traced, as OTEL_* variables say');
    },
    close: () => within(CLOSE_MS, provider.shutdown()),
  };
}

/** `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` win. Nothing of the command line, which may have secrets in it. */
function describeProcess(): Resource {
  return defaultResource()
    .merge(
      resourceFromAttributes({
        'service.name': SERVICE,
        'service.version': PROGRAM_VERSION,
        'host.name': hostname(),
      }),
    )
    .merge(
      detectResources({
        detectors: [serviceInstanceIdDetector, resourceAttributesEnvDetector, serviceNameEnvDetector],
      }),
    );
}

async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, milliseconds, undefined);
  await Promise.race([promise, work.catch(() => undefined)]);
  clearTimeout(timer);
}

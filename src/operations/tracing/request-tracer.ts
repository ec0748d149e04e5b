import {
  type Context,
  context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapPropagator,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api';
import { type Sampler, SamplingDecision } from '@opentelemetry/sdk-trace';
import type { Request, Response } from 'express';
import type { RequestTraces } from '../../http/request-traces.js';
import type { TraceIds } from './trace-ids.js';
import { isFailure, methodOf, originOf, outcomeOf, spanNameOf, targetOf } from './request-attributes.js';
import { firstSpanIdOf, traceIdOf, traceNameOf } from './trace-names.js';

/** Polled every few seconds by probes and Prometheus. */
const UNWATCHED: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics']);

export interface RequestTracerOptions {
  readonly tracer: Tracer;
  readonly ids: TraceIds;
  readonly sampler: Sampler;
  /** Of what a client sends along; `null`: that is not followed. */
  readonly propagator: TextMapPropagator | null;
}

/** One span a request, in the trace of its client, else in one with the requests that belong together. */
export class RequestTracer implements RequestTraces {
  constructor(private readonly options: RequestTracerOptions) {}

  follow(request: Request, response: Response, next: () => void): void {
    if (UNWATCHED.has(request.path)) {
      next();
      return;
    }
    const { span, parent } = this.begin(request);
    request.context.trace = span.spanContext().traceId;
    if (span.isRecording()) {
      span.setAttributes(originOf(request));
      response.once('close', () => {
        span.updateName(spanNameOf(request)).setAttributes(outcomeOf(request, response));
        if (isFailure(response)) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      });
    }
    context.with(trace.setSpan(parent, span), next);
  }

  private begin(request: Request): { span: Span; parent: Context } {
    const ofClient = this.fromClient(request);
    if (ofClient !== null) return { span: this.start(request, ofClient), parent: ofClient };
    const name = traceNameOf(request.method, request.path, request.headers);
    if (name?.kind === 'joins') {
      const parent = this.firstSpanOf(name.id);
      return { span: this.start(request, parent), parent };
    }
    if (name === null) return { span: this.start(request, ROOT_CONTEXT), parent: ROOT_CONTEXT };
    const span = this.options.ids.within(request.context.createdId, () => this.start(request, ROOT_CONTEXT));
    return { span, parent: ROOT_CONTEXT };
  }

  private fromClient(request: Request): Context | null {
    const found = this.options.propagator?.extract(ROOT_CONTEXT, request.headers, HEADERS) ?? ROOT_CONTEXT;
    return trace.getSpanContext(found) === undefined ? null : found;
  }

  /** The same on every node, whichever served the first request of the trace. */
  private firstSpanOf(id: string): Context {
    const traceId = traceIdOf(id);
    const { decision } = this.options.sampler.shouldSample(ROOT_CONTEXT, traceId, '', SpanKind.SERVER, {}, []);
    const isKept = decision === SamplingDecision.RECORD_AND_SAMPLED;
    return trace.setSpanContext(ROOT_CONTEXT, {
      traceId,
      spanId: firstSpanIdOf(id),
      traceFlags: isKept ? TraceFlags.SAMPLED : TraceFlags.NONE,
      isRemote: true,
    });
  }

  private start(request: Request, parent: Context): Span {
    const options = { kind: SpanKind.SERVER, attributes: targetOf(request) };
    return this.options.tracer.startSpan(methodOf(request), options, parent);
  }
}

const HEADERS = {
  get: (headers: Request['headers'], name: string): string | string[] | undefined => headers[name],
  keys: (headers: Request['headers']): string[] => Object.keys(headers),
};

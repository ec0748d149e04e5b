import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  AlwaysOnSampler,
  InMemorySpanExporter,
  ParentBasedSampler,
  type Sampler,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Request, Response } from 'express';
import { TraceIds } from './trace-ids.js';
import { RequestSampler } from './request-sampler.js';
import { RequestTracer } from './request-tracer.js';
import { firstSpanIdOf, traceIdOf } from './trace-names.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const UPLOADS = '/v2/acme/app/blobs/uploads/';

const finished = new InMemorySpanExporter();

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});
beforeEach(() => {
  finished.reset();
});
afterAll(() => {
  context.disable();
});

function tracerWith(sampler: Sampler = new ParentBasedSampler({ root: new AlwaysOnSampler() }), follows = true) {
  const ids = new TraceIds();
  const spanProcessors = [new SimpleSpanProcessor({ exporter: finished })];
  const provider = new TracerProvider({ sampler: new RequestSampler(sampler), idGenerator: ids, spanProcessors });
  const tracer = provider.getTracer('test');
  const propagator = follows ? new W3CTraceContextPropagator() : null;
  return { tracer, requests: new RequestTracer({ tracer, ids, sampler, propagator }) };
}

interface Made {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
}

function exchange({ method = 'GET', path, headers = {} }: Made) {
  const own = { id: 'request-1', createdId: randomUUID(), trace: null, target: null, error: null };
  const request = { method, path, headers, protocol: 'http', hostname: 'registry', ip: '192.0.2.1', context: own };
  const response = Object.assign(new EventEmitter(), { statusCode: 200, headersSent: true, writableFinished: true });
  return { request: request as unknown as Request, response: response as unknown as Response };
}

/** Follows the request to its end. */
function follow(
  requests: RequestTracer,
  made: Made,
  handler: (request: Request, response: Response) => void = () => undefined,
) {
  const { request, response } = exchange(made);
  requests.follow(request, response, () => {
    handler(request, response);
  });
  response.emit('close');
  return request.context;
}

describe('the span of a request', () => {
  it('belongs to the trace that the client sent', () => {
    const { requests } = tracerWith();
    const { trace: id } = follow(requests, { path: '/v2/', headers: { traceparent: `00-${TRACE}-${PARENT}-01` } });
    expect(id).toBe(TRACE);
    const [span] = finished.getFinishedSpans();
    expect(span?.spanContext().traceId).toBe(TRACE);
    expect(span?.parentSpanContext?.spanId).toBe(PARENT);
    expect(span?.kind).toBe(SpanKind.SERVER);
  });

  it('does not where clients are not followed, or sent what is none', () => {
    const headers = { traceparent: `00-${TRACE}-${PARENT}-01` };
    expect(follow(tracerWith(undefined, false).requests, { path: '/v2/', headers }).trace).not.toBe(TRACE);
    const broken = { traceparent: `00-${TRACE}` };
    expect(follow(tracerWith().requests, { path: '/v2/', headers: broken }).trace).toMatch(/^[\da-f]{32}$/);
  });

  it('is named by its route, and says what became of it', () => {
    const { requests } = tracerWith();
    follow(requests, { method: 'HEAD', path: '/v2/acme/app/blobs/sha256:00' }, (request) => {
      Object.assign(request, { route: { path: '/v2/*name/blobs/:digest' } });
    });
    follow(requests, { method: 'BREW', path: '/pot' }, (_request, response) => {
      Object.assign(response, { statusCode: 500 });
    });
    follow(requests, { path: '/v2/' }, (_request, response) => {
      Object.assign(response, { writableFinished: false, headersSent: false });
    });
    const [found, failed, left] = finished.getFinishedSpans();
    expect(found?.name).toBe('HEAD /v2/{name}/blobs/{digest}');
    expect(found?.attributes).toMatchObject({
      'http.response.status_code': 200,
      'url.path': '/v2/acme/app/blobs/sha256:00',
    });
    expect(found?.status.code).toBe(SpanStatusCode.UNSET);
    expect(failed?.name).toBe('HTTP');
    expect(failed?.attributes).toMatchObject({ 'http.request.method': '_OTHER', 'error.type': '500' });
    expect(failed?.status.code).toBe(SpanStatusCode.ERROR);
    expect(left?.attributes).toMatchObject({ 'error.type': 'aborted' });
    expect(left?.attributes).not.toHaveProperty('http.response.status_code');
  });

  it('has what its request asks of others below it, and nothing that comes after', async () => {
    const { tracer, requests } = tracerWith();
    const asked = Promise.withResolvers<undefined>();
    const later = Promise.withResolvers<undefined>();
    const ask = (name: string): void => {
      tracer.startSpan(name, { kind: SpanKind.CLIENT }).end();
    };
    follow(requests, { path: '/v2/' }, () => {
      ask('at once');
      void asked.promise.then(() => {
        ask('too late');
        later.resolve(undefined);
      });
    });
    asked.resolve(undefined);
    await later.promise;
    ask('alone');
    const [first, request] = finished.getFinishedSpans();
    expect(finished.getFinishedSpans().map(({ name }) => name)).toEqual(['at once', 'GET']);
    expect(first?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId);
  });

  it('is not made for probes', () => {
    const { requests } = tracerWith();
    for (const path of ['/livez', '/readyz', '/metrics']) expect(follow(requests, { path }).trace).toBeNull();
    expect(finished.getFinishedSpans()).toEqual([]);
  });
});

describe('requests that belong together', () => {
  it('are in the trace that their upload is named by, on any node', () => {
    const nodes = [tracerWith(), tracerWith()] as const;
    const { createdId: id } = follow(nodes[0].requests, { method: 'POST', path: UPLOADS });
    follow(nodes[1].requests, { method: 'PATCH', path: `${UPLOADS}${id}` });
    follow(nodes[0].requests, { method: 'PUT', path: `${UPLOADS}${id}` });
    const [post, patch, put] = finished.getFinishedSpans();
    expect(post?.parentSpanContext).toBeUndefined();
    expect(post?.spanContext()).toMatchObject({ traceId: traceIdOf(id), spanId: firstSpanIdOf(id) });
    for (const span of [patch, put]) {
      expect(span?.spanContext().traceId).toBe(traceIdOf(id));
      expect(span?.parentSpanContext?.spanId).toBe(post?.spanContext().spanId);
    }
    expect(patch?.spanContext().spanId).not.toBe(put?.spanContext().spanId);
  });

  it('take their name from nobody’s traceparent: ids are for the registry to choose', () => {
    const headers = { traceparent: `00-${TRACE}-${PARENT}-01` };
    const { requests } = tracerWith();
    for (const path of [UPLOADS, '/api/v1/auth/token']) {
      const { createdId, trace: id } = follow(requests, { method: 'POST', path, headers });
      expect(id).toBe(TRACE);
      expect(traceIdOf(createdId)).not.toBe(TRACE);
    }
    const { createdId, trace: id } = follow(requests, { method: 'POST', path: '/api/v1/auth/token' });
    expect(id).toBe(traceIdOf(createdId));
  });

  it('are all kept or all left out', () => {
    const half = () => tracerWith(new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.5) })).requests;
    const [begins, goesOn] = [half(), half()];
    let kept = 0;
    for (let round = 0; round < 100; round += 1) {
      finished.reset();
      const { createdId } = follow(begins, { method: 'POST', path: UPLOADS });
      follow(goesOn, { method: 'PATCH', path: `${UPLOADS}${createdId}` });
      const { length } = finished.getFinishedSpans();
      expect([0, 2]).toContain(length);
      kept += length / 2;
    }
    expect(kept).toBeGreaterThan(10);
    expect(kept).toBeLessThan(90);
  });

  it('are left out where the client says so', () => {
    const headers = { traceparent: `00-${TRACE}-${PARENT}-00` };
    const made = { method: 'POST', path: UPLOADS, headers };
    let isRecording: boolean | undefined;
    const { trace: id } = follow(tracerWith().requests, made, () => {
      isRecording = trace.getActiveSpan()?.isRecording();
    });
    expect([id, isRecording]).toEqual([TRACE, false]);
    expect(finished.getFinishedSpans()).toEqual([]);
  });
});

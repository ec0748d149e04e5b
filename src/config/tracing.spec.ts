import { describe, expect, it } from '@jest/globals';
import { tracingOf } from './tracing.js';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

describe('traces', () => {
  it.each([
    ['nothing is set', {}],
    ['only what describes them is set', { OTEL_SERVICE_NAME: 'registry', OTEL_TRACES_SAMPLER: 'always_on' }],
    ['the endpoint is empty', { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }],
    ['the endpoint is that of metrics', { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://collector:4318' }],
    ['the exporter is none', { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }],
    ['the SDK is disabled', { ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' }],
  ])('are off when %s', (_case, environment) => {
    expect(tracingOf(environment)).toEqual({ protocol: null, problem: null });
  });

  it.each([
    ['an endpoint', ENDPOINT, 'http/protobuf'],
    ['an endpoint of traces', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector/v1/traces' }, 'http/protobuf'],
    ['the exporter alone', { OTEL_TRACES_EXPORTER: 'otlp' }, 'http/protobuf'],
    ['a protocol', { ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }, 'http/json'],
    [
      'a protocol of traces before the general one',
      { ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json' },
      'http/json',
    ],
  ])('are on with %s', (_case, environment, protocol) => {
    expect(tracingOf(environment)).toEqual({ protocol, problem: null });
  });

  it.each([
    [{ ...ENDPOINT, OTEL_TRACES_EXPORTER: 'zipkin' }, /^OTEL_TRACES_EXPORTER must be otlp or none: there are no/],
    [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, /^OTEL_EXPORTER_OTLP_PROTOCOL must be http\/protobuf or/],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' }, /^OTEL_EXPORTER_OTLP_ENDPOINT must be a URL/],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://me:hunter22@' }, /^OTEL_EXPORTER_OTLP_ENDPOINT must be a URL [^2]+$/],
  ])('are off and say why with %j', (environment, problem) => {
    expect(tracingOf(environment)).toEqual({ protocol: null, problem: expect.stringMatching(problem) });
  });
});

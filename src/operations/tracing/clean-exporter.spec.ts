import { describe, expect, it } from '@jest/globals';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { type ReadableSpan, SimpleSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { CleanExporter, UNASKED } from './clean-exporter.js';

/** A collector that answers as it is told to, and what reached it. */
function collectorThat(answers: () => ExportResult) {
  const spans: ReadableSpan[] = [];
  const told: string[] = [];
  const exporter: SpanExporter = {
    export: (batch, done) => {
      spans.push(...batch);
      done(answers());
    },
    shutdown: () => Promise.resolve(),
  };
  const observer = {
    succeeded: () => void told.push('succeeded'),
    failed: (error: Error | undefined) => void told.push(`failed: ${error?.message ?? ''}`),
  };
  return { spans, told, exporter: new CleanExporter(exporter, observer) };
}

describe('what leaves with a span', () => {
  it('is on the list: no message of an error, no value of a statement, and nothing that nobody knows', () => {
    const { spans, exporter } = collectorThat(() => ({ code: ExportResultCode.SUCCESS }));
    const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
    const span = provider.getTracer('test').startSpan('PostgreSQL SELECT', { kind: SpanKind.CLIENT });
    span.setAttribute('db.query.text', 'SELECT $1').setAttribute('db.postgresql.values', ['hunter22']);
    span.setAttribute('url.full', 'https://s3/key?X-Amz-Signature=hunter22');
    span.recordException(new TypeError('invalid input: "hunter22"'));
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'invalid input: "hunter22"' });
    span.addLink({ context: span.spanContext(), attributes: { note: 'hunter22' } });
    span.end();
    const [sent] = spans;
    expect(sent?.attributes).toEqual({ 'db.query.text': 'SELECT $1' });
    expect(sent?.events.map(({ name, attributes }) => [name, attributes])).toEqual([
      ['exception', { 'exception.type': 'TypeError' }],
    ]);
    expect(sent?.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(sent?.links).toEqual([{ context: span.spanContext() }]);
    expect(sent?.spanContext()).toEqual(span.spanContext());
    expect(JSON.stringify(spans.map(({ resource: _, ...rest }) => rest))).not.toContain('hunter22');
  });

  it('is nothing for what was not asked', () => {
    const { spans, exporter } = collectorThat(() => ({ code: ExportResultCode.SUCCESS }));
    const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
    provider.getTracer('test').startSpan('S3.PutObject').setAttribute(UNASKED, true).end();
    expect(spans).toEqual([]);
  });

  it('is told to whoever watches the collector', () => {
    const answers: ExportResult[] = [
      { code: ExportResultCode.FAILED, error: new Error('refused') },
      { code: ExportResultCode.SUCCESS },
    ];
    const { told, exporter } = collectorThat(() => answers.shift() ?? { code: ExportResultCode.FAILED });
    const results: number[] = [];
    for (let count = 0; count < 3; count += 1) exporter.export([], ({ code }) => void results.push(code));
    expect(told).toEqual(['failed: refused', 'succeeded', 'failed: ']);
    expect(results).toEqual([ExportResultCode.FAILED, ExportResultCode.SUCCESS, ExportResultCode.FAILED]);
  });
});

import type { Attributes } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

/**
 * All that may leave the node with a span. The packages that make spans add what they know, and the next version of one
 * may know more: the text of an error has values of the statement, the URL of an object its signature.
 */
export const LEAVING: ReadonlySet<string> = new Set([
  'http.request.method',
  'http.route',
  'http.response.status_code',
  'url.path',
  'url.scheme',
  'server.address',
  'server.port',
  'client.address',
  'user_agent.original',
  'error.type',
  'exception.type',
  'aerugo.repository',
  'aerugo.request_id',
  'db.system',
  'db.system.name',
  'db.namespace',
  'db.operation.name',
  'db.query.text',
  'rpc.system',
  'rpc.service',
  'rpc.method',
  'aws.s3.bucket',
  'aws.request.id',
  'cloud.region',
]);

/** Marks a span without a call: it is dropped. */
export const UNASKED = 'aerugo.unasked';

/** Is told of each attempt to send spans. */
export interface ExportObserver {
  succeeded(): void;
  failed(error: Error | undefined): void;
}

/** Sends what may leave, and nothing else. */
export class CleanExporter implements SpanExporter {
  constructor(
    private readonly exporter: SpanExporter,
    private readonly observer: ExportObserver,
  ) {}

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    const asked = spans.filter(({ attributes }) => attributes[UNASKED] !== true);
    this.exporter.export(asked.map(cleaned), (result) => {
      if (result.code === ExportResultCode.SUCCESS) this.observer.succeeded();
      else this.observer.failed(result.error);
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }

  async forceFlush(): Promise<void> {
    await this.exporter.forceFlush?.();
  }
}

function cleaned(span: ReadableSpan): ReadableSpan {
  const { name, kind, startTime, endTime, duration, ended, resource, instrumentationScope, parentSpanContext } = span;
  const { droppedAttributesCount, droppedEventsCount, droppedLinksCount } = span;
  return {
    ...{ name, kind, startTime, endTime, duration, ended, resource, instrumentationScope },
    ...{ droppedAttributesCount, droppedEventsCount, droppedLinksCount },
    ...(parentSpanContext === undefined ? {} : { parentSpanContext }),
    spanContext: () => span.spanContext(),
    status: { code: span.status.code },
    attributes: leaving(span.attributes),
    links: span.links.map(({ context }) => ({ context })),
    events: span.events.map((event) => ({ ...event, attributes: leaving(event.attributes ?? {}) })),
  };
}

function leaving(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => LEAVING.has(name)));
}

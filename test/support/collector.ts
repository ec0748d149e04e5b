import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { onFileEnd } from './processes.js';

export const SERVER = 2;
export const CLIENT = 3;

export interface Span {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty where the trace begins. */
  readonly parentSpanId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: number;
  /** Of the process. */
  readonly resource: Readonly<Record<string, unknown>>;
}

type Attribute = { readonly key: string; readonly value: Readonly<Record<string, unknown>> };
interface ExportedSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes?: readonly Attribute[];
  readonly status?: { readonly code?: number };
}
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly ExportedSpan[] }[];
  }[];
}

/** What takes spans as OTLP over HTTP in JSON, as an OpenTelemetry Collector would; ended with the spec file. */
export class Collector {
  readonly spans: Span[] = [];
  /** Everything that was sent, as it came. */
  text = '';
  private hangs = false;

  private constructor(readonly port: number) {}

  static async start(): Promise<Collector> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const collector = new Collector((server.address() as AddressInfo).port);
    server.on('request', (request, response) => void collector.take(request, response));
    onFileEnd(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return collector;
  }

  /** The variables of a process that sends its spans here. */
  get env(): Record<string, string> {
    return {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '50',
    };
  }

  /** From now on it accepts connections and never answers. */
  hang(): void {
    this.hangs = true;
  }

  inTrace(traceId: string): Span[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.hangs) return;
    const sent = (await json(request)) as Export;
    this.text += JSON.stringify(sent);
    for (const { resource, scopeSpans } of sent.resourceSpans) {
      const described = valuesOf(resource.attributes);
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) this.spans.push(readSpan(span, described));
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  }
}

function readSpan(
  { attributes = [], status, parentSpanId = '', ...span }: ExportedSpan,
  resource: Span['resource'],
): Span {
  return { ...span, parentSpanId, attributes: valuesOf(attributes), status: status?.code ?? 0, resource };
}

function valuesOf(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

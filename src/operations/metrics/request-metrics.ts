import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Request } from 'express';
import { Histogram, type Registry } from 'prom-client';
import { AccessLog, type RequestMeter } from '../../http/access-log.js';
import { readCounter, readGauge } from './metric-kinds.js';

/** Seconds: a cached manifest takes less than the first, the upload of a large layer more than the last. */
const BUCKETS = [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 300];
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const OTHER = 'other';
const CLIENT_LEFT = 499;
const CLASSES = ['other', '1xx', '2xx', '3xx', '4xx', '5xx'];

type Observe = (seconds: number) => void;

/**
 * Requests by the pattern of their route, and the bytes of their connections. It runs for every request: what it needs
 * of prom-client is looked up once for each combination of labels.
 */
@Injectable()
export class RequestMetrics implements RequestMeter, OnApplicationBootstrap {
  private readonly histogram = new Histogram({
    name: 'aerugo_http_request_duration_seconds',
    help: 'Time from the request’s head to the end of the response, by route pattern; status "aborted": the client disconnected.',
    labelNames: ['route', 'method', 'status'],
    buckets: BUCKETS,
    registers: [],
  });
  private readonly observers = new Map<string, Map<string, Observe>>();
  private inFlight = 0;
  private readonly open = new Set<Socket>();
  private readonly closed = { received: 0, sent: 0 };

  constructor(
    private readonly accessLog: AccessLog,
    private readonly host: HttpAdapterHost,
  ) {
    this.accessLog.meter = this;
  }

  onApplicationBootstrap(): void {
    const server = this.host.httpAdapter.getHttpServer() as Server;
    server.on('connection', (socket: Socket) => {
      this.open.add(socket);
      socket.once('close', () => {
        this.open.delete(socket);
        this.closed.received += socket.bytesRead;
        this.closed.sent += socket.bytesWritten;
      });
    });
  }

  register(registry: Registry): void {
    registry.registerMetric(this.histogram);
    readGauge(registry, 'aerugo_http_requests_in_flight', 'Requests that have no answer yet.', () => this.inFlight);
    readGauge(registry, 'aerugo_http_connections', 'Connections of clients.', () => this.open.size);
    readCounter(registry, 'aerugo_http_received_bytes_total', 'Bytes from clients, with heads.', [], () => [
      [{}, this.closed.received + sum(this.open, 'bytesRead')],
    ]);
    readCounter(registry, 'aerugo_http_sent_bytes_total', 'Bytes to clients, with heads.', [], () => [
      [{}, this.closed.sent + sum(this.open, 'bytesWritten')],
    ]);
  }

  begin(): void {
    this.inFlight += 1;
  }

  end(request: Request, status: number, seconds: number): void {
    this.inFlight -= 1;
    const route = routeOf(request);
    const key = `${request.method}${status}`;
    this.observerOf(route, key, request.method, status)(seconds);
  }

  private observerOf(route: string, key: string, method: string, status: number): Observe {
    let ofRoute = this.observers.get(route);
    if (!ofRoute) this.observers.set(route, (ofRoute = new Map<string, Observe>()));
    let observe = ofRoute.get(key);
    if (!observe) {
      const labels = { route, method: METHODS.has(method) ? method : OTHER, status: classOf(status) };
      const child = this.histogram.labels(labels);
      observe = (seconds) => {
        child.observe(seconds);
      };
      ofRoute.set(key, observe);
    }
    return observe;
  }
}

/** Set by Express once a handler was found. Requests without a route share one label: clients cannot add series. */
function routeOf({ route }: Request): string {
  const path: unknown = (route as { path?: unknown } | undefined)?.path;
  return typeof path === 'string' ? path : OTHER;
}

function classOf(status: number): string {
  return status === CLIENT_LEFT ? 'aborted' : (CLASSES[Math.floor(status / 100)] ?? OTHER);
}

function sum(sockets: Iterable<Socket>, what: 'bytesRead' | 'bytesWritten'): number {
  let total = 0;
  for (const socket of sockets) total += socket[what];
  return total;
}

import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Request, Response } from 'express';
import { principalName } from '../access/principal.js';
import { AppConfig } from '../config/config.js';
import type { RefusedRequest } from './connections/refused-request.js';
import { isReaderBehind, logOutput } from '../server/logging/log-output.js';

/** Levels as pino has them. */
const [DEBUG, INFO] = [20, 30];
const FLUSH_MS = 100;
const FLUSH_BYTES = 64 * 1024;
/** Characters of what clients may make as long as headers may be: a line must not cost more than its request. */
const MAX_PATH = 1_024;
const MAX_AGENT = 256;
/** What asks for these asks all the time: a line for each that failed is enough. */
const PROBES: ReadonlySet<string> = new Set(['/livez', '/readyz', '/api/v1/health']);
const LONGEST_PROBE = 14;
const TALKATIVE_LEVELS: ReadonlySet<string> = new Set(['debug', 'trace']);
const QUIET_LEVELS: ReadonlySet<string> = new Set(['warn', 'error', 'fatal', 'silent']);

/** Is told of each request, beside the log and whether that is on or not. */
export interface RequestMeter {
  begin(): void;
  /** `status` as in the log. */
  end(request: Request, status: number, seconds: number): void;
}

/**
 * One JSON line a request. The path goes in without its query, and no header does: credentials and presigned URLs
 * never reach a log. Lines are built by hand and written in batches, since this runs for every request.
 */
@Injectable()
export class AccessLog implements OnApplicationShutdown {
  private readonly isOn: boolean;
  private readonly showsProbes: boolean;
  private readonly worker: number | null;
  /** A counter of requests. */
  meter: RequestMeter | null = null;
  private buffer = '';
  /** Requests in it. */
  private lines = 0;
  private leftOut = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(config: AppConfig) {
    this.isOn = !QUIET_LEVELS.has(config.server.logLevel);
    this.showsProbes = TALKATIVE_LEVELS.has(config.server.logLevel);
    this.worker = config.server.worker?.id ?? null;
  }

  observe(request: Request, response: Response): void {
    const { meter } = this;
    meter?.begin();
    if (this.isOn || meter !== null)
      response.once('close', () => {
        const clock = process.hrtime.bigint();
        meter?.end(request, statusOf(response), Number(clock - request.context.startedAt) / 1e9);
        if (this.isOn && (this.showsProbes || !isGoodProbe(request, response)))
          this.append(accessLine(request, response, Date.now(), clock, this.worker));
      });
  }

  /** What never became a request. */
  refused(refused: RefusedRequest): void {
    if (this.isOn) this.append(refusedLine(refused, Date.now(), this.worker));
  }

  onApplicationShutdown(): void {
    this.flush();
  }

  private append(line: string): void {
    this.buffer += line;
    this.lines += 1;
    if (this.buffer.length >= FLUSH_BYTES) this.flush();
    else
      this.timer ??= setTimeout(() => {
        this.flush();
      }, FLUSH_MS).unref();
  }

  private flush(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    if (isReaderBehind()) this.leftOut += this.lines;
    else if (this.buffer !== '') logOutput().write(this.takeGap() + this.buffer);
    this.buffer = '';
    this.lines = 0;
  }

  /** A line about those that are missing before the next one. */
  private takeGap(): string {
    if (this.leftOut === 0) return '';
    const msg = `${this.leftOut} requests are not in the log, whose reader was too slow`;
    this.leftOut = 0;
    return `${JSON.stringify({ level: 40, time: Date.now(), event: 'log.gap', msg })}\n`;
  }
}

/** `ms` is the time from the request's head to the end of the answer; `status` 499 means that the client left. */
export function accessLine(
  request: Request,
  response: Response,
  now: number,
  clock: bigint,
  worker: number | null,
): string {
  const { context } = request;
  const level = isGoodProbe(request, response) ? DEBUG : INFO;
  const milliseconds = Number((clock - context.startedAt) / 1000n) / 1000;
  const status = statusOf(response);
  const bytes = bytesSent(response, context);
  const end = request.originalUrl.indexOf('?');
  const path = end === -1 ? request.originalUrl : request.originalUrl.slice(0, end);
  let line = `{"level":${level},"time":${now},"event":"request","requestId":"${context.id}","method":"${request.method}","path":${JSON.stringify(shortened(path, MAX_PATH))},"status":${status},"bytes":${bytes},"ms":${milliseconds}`;
  if (context.proxyId !== null) line += `,"proxyRequestId":"${context.proxyId}"`;
  if (worker !== null) line += `,"worker":${worker}`;
  if (context.trace !== null) line += `,"trace":"${context.trace}"`;
  if (context.principal) line += `,"user":${JSON.stringify(principalName(context.principal))}`;
  if (context.target) line += `,"repository":${JSON.stringify(context.target.name)}`;
  if (request.ip !== undefined) line += `,"address":${JSON.stringify(request.ip)}`;
  const agent = request.headers['user-agent'];
  if (agent !== undefined) line += `,"agent":${JSON.stringify(shortened(agent, MAX_AGENT))}`;
  if (context.error instanceof Error && 'condition' in context.error)
    line += `,"error":"${String(context.error.condition)}"`;
  return `${line}}\n`;
}

function isGoodProbe({ originalUrl }: Request, response: Response): boolean {
  return originalUrl.length <= LONGEST_PROBE && PROBES.has(originalUrl) && statusOf(response) < 400;
}

/** Of the body: what was announced, or of an answer that was cut off what the socket had taken by then. */
function bytesSent(response: Response, { bytes, sent }: Request['context']): number {
  if (!response.writableFinished) {
    if (sent !== null) return sent;
    if (!response.headersSent) return 0;
  }
  return Number(bytes ?? response.getHeader('content-length') ?? 0);
}

function refusedLine({ reason, status, address }: RefusedRequest, now: number, worker: number | null): string {
  const msg = 'refused before it was a request';
  const line = {
    level: INFO,
    time: now,
    event: 'request.refused',
    status,
    reason,
    address,
    worker: worker ?? undefined,
    msg,
  };
  return `${JSON.stringify(line)}\n`;
}

function statusOf(response: Response): number {
  return response.writableFinished ? response.statusCode : 499;
}

function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

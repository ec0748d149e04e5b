import { Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { AppConfig } from '../../config/config.js';
import type { AuditedRoute } from '../../http/guards/audited.decorator.js';
import { AuditWriter } from './audit-writer.js';
import {
  clientOf,
  denialOf,
  denied,
  failed,
  type FailedPart,
  failedPart,
  isChallenge,
  isRateLimited,
  succeeded,
} from './request-record.js';

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Writes down how requests ended: those that were refused, writes that failed, and what succeeds without a transaction
 * that has the entry. An ordinary pull costs it one comparison.
 */
@Injectable()
export class AuditRecorder {
  private readonly recordsPulls: boolean;
  private challenges = 0;

  constructor(
    private readonly writer: AuditWriter,
    { security }: AppConfig,
  ) {
    this.recordsPulls = security.auditPulls;
  }

  /** Anonymous requests that were told to come back with credentials, since this process began. */
  get anonymousChallenges(): number {
    return this.challenges;
  }

  /** Before the request is handled. */
  observe(request: Request, response: Response): void {
    if (READS.has(request.method) && !this.mayBeEntry(request)) return;
    response.once('close', () => {
      const { audited: route } = request.context;
      if (route === null || route.success === 'transaction') return;
      if (response.headersSent) this.ended(request, response, route);
      else if (!READS.has(request.method) && request.context.error === null) {
        // The client has disconnected, but the write goes on: its answer still tells the outcome.
        onAnswer(response, () => {
          this.ended(request, response, route);
        });
      }
    });
  }

  /** When an error was answered, or could not be. */
  failed(request: Request, response: Response): void {
    if (response.headersSent && response.statusCode < 400) return; // it had succeeded, as far as it said
    // Too many requests would fill the audit log; the access log has each of them.
    if (isRateLimited(request)) return;
    const reason = denialOf(request);
    if (reason !== null) {
      if (isChallenge(request)) this.challenges += 1;
      else this.writer.addRepeatable(denied(request, response, reason), clientOf(request));
    } else if (!READS.has(request.method) && request.context.audited !== null) {
      this.writer.addRepeatable(failed(request, response), clientOf(request));
    }
  }

  /** When one of many things that a request asks for was refused or failed. */
  failedPart(request: Request, part: FailedPart): void {
    this.writer.addRepeatable(failedPart(request, part), clientOf(request));
  }

  /** Before it is known which route takes a read: pulls where they are wanted, and what may be a read of the log. */
  private mayBeEntry({ method, path }: Request): boolean {
    if (path.startsWith('/api/')) return method !== 'OPTIONS';
    return this.recordsPulls && method === 'GET';
  }

  private ended(request: Request, response: Response, route: AuditedRoute): void {
    const { statusCode } = response;
    if (route.success === 'created' ? statusCode === 201 : statusCode < 400) {
      this.writer.add(succeeded(request, route));
    }
  }
}

function onAnswer(response: Response, then: () => void): void {
  const writeHead: (...head: unknown[]) => Response = response.writeHead.bind(response) as never;
  response.writeHead = ((...head: unknown[]) => {
    const answered = writeHead(...head);
    then();
    return answered;
  }) as typeof response.writeHead;
}

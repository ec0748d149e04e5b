import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import { membershipIn, type Principal, principalKey } from '../../access/principal.js';
import { networkOf } from '../../http/connections/client-network.js';
import type { AuditedRoute } from '../../http/guards/audited.decorator.js';
import type { RepositoryTarget } from '../../access/repository-fact.js';
import { CLOCK } from './audit-clock.js';
import type { AuditEvent } from './audit-event.entity.js';
import type { AuditRecord } from './audit-record.js';
import type { Client } from './repeated-entries.js';

/** Conditions that are refusals wherever they are thrown. A 404 is one only if the guard says so. */
const DENIALS: ReadonlySet<string> = new Set([
  'unauthorized',
  'invalidCredentials',
  'insufficientScope',
  'denied',
  'tooManyRequests',
]);
const ACCOUNT = /^(?!aerugo_)[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
const MAX_ACCOUNT = 100;
const DIGEST = /^sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})$/;
const TAG = /^\w[\w.-]{0,127}$/;
const PARTS = [
  ['team', 'team'],
  ['robot', 'robot'],
  ['username', 'member'],
] as const;
const MAX_RESOURCE = 512;
const CLIENT_LEFT = 499;

/** Why the request was turned away; `null` when it was not. */
export function denialOf({ context: { denied, error } }: Request): string | null {
  if (denied !== null) return denied;
  const condition = conditionOf(error);
  return condition !== null && DENIALS.has(condition) ? condition : null;
}

/** Whether it was one too many of a minute. */
export function isRateLimited({ context: { error } }: Request): boolean {
  return conditionOf(error) === 'rateLimited';
}

/** Whether the request had no credentials: its refusal is then a challenge. */
export function isChallenge({ context: { denied, principal } }: Request): boolean {
  if (denied === 'credentialsMissing') return true;
  // Wrong credentials give no principal either, but a reason of the guard.
  return principal === null ? denied === null : principal.kind === 'anonymous';
}

export function succeeded(request: Request, route: AuditedRoute): AuditRecord {
  return record(request, { action: actionOf(request, route), outcome: 'allowed', detail: null });
}

export function denied(request: Request, response: Response, reason: string): AuditRecord {
  const { claimedName, principal } = request.context;
  const name = principal === null && claimedName !== null && isAccount(claimedName) ? { username: claimedName } : {};
  const detail = { reason, status: statusOf(response), ...name, ...idsOf(request) };
  return record(request, { action: nameOf(request), outcome: 'denied', detail });
}

export function failed(request: Request, response: Response): AuditRecord {
  const { error } = request.context;
  const reason = response.headersSent ? conditionOf(error) : 'clientLeft';
  const detail = { ...(reason === null ? {} : { reason }), status: statusOf(response), ...idsOf(request) };
  return record(request, { action: nameOf(request), outcome: 'failed', detail });
}

/** One of many things that a request asks for, and why it did not happen. */
export interface FailedPart {
  readonly action: string;
  /** As the client wrote them. */
  readonly tag: string | undefined;
  readonly digest: string | undefined;
  readonly named: RepositoryTarget;
  /** Whether the caller was turned away, and not just in vain. */
  readonly isDenied: boolean;
  readonly reason: string;
  readonly status: number;
}

export function failedPart(request: Request, part: FailedPart): AuditRecord {
  const { context, ip } = request;
  const { principal, credential } = context;
  const { action, tag = null, digest = null, named, isDenied, reason, status } = part;
  const outcome = isDenied ? 'denied' : 'failed';
  return {
    at: CLOCK.next(),
    id: randomUUID(),
    actor: principal === null ? 'anonymous' : principalKey(principal),
    credential: credential?.label ?? null,
    address: ip ?? null,
    action,
    resource: `repo:${named.repository?.path ?? named.name}${contentText(tag ?? digest, tag)}`,
    namespaceId: named.repository?.namespaceId ?? null,
    namespace: shownIn(named.name.split('/')[0] ?? '', principal, outcome),
    outcome,
    detail: { reason, status, ...idsOf(request) },
  };
}

/** Whose refusals and failures are counted together. */
export function clientOf({ context: { principal }, ip }: Request): Client {
  return principal === null || principal.kind === 'anonymous'
    ? { kind: 'stranger', key: networkOf(ip ?? '') }
    : { kind: 'known', key: principalKey(principal) };
}

/** What the access log calls the request, and what a proxy does. */
function idsOf({ context: { id, proxyId } }: Request): Record<string, string> {
  return { requestId: id, ...(proxyId === null ? {} : { proxyRequestId: proxyId }) };
}

interface Outcome {
  readonly action: string;
  readonly outcome: AuditEvent['outcome'];
  readonly detail: AuditRecord['detail'];
}

function record(request: Request, { action, outcome, detail }: Outcome): AuditRecord {
  const { principal, credential, named } = request.context;
  return {
    at: CLOCK.next(),
    id: randomUUID(),
    actor: principal === null ? 'anonymous' : principalKey(principal),
    credential: credential?.label ?? null,
    address: request.ip ?? null,
    action,
    resource: resourceOf(request),
    namespaceId: named?.repository?.namespaceId ?? null,
    namespace: namespaceOf(request, outcome),
    outcome,
    detail,
  };
}

function actionOf(request: Request, { action, success }: AuditedRoute): string {
  const isMount =
    success === 'created' && request.query['mount'] !== undefined && request.query['digest'] === undefined;
  return isMount ? 'blob.mount' : action;
}

/** Reads have no action of their own: they are recorded only when they were refused. */
function nameOf(request: Request): string {
  const { audited } = request.context;
  if (audited) return actionOf(request, audited);
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const [kind = ''] = resourceOf(request).split(':');
  return `${kind.startsWith('/') ? 'api' : kind}.${isRead ? 'read' : 'write'}`;
}

function resourceOf(request: Request): string {
  const { params, context } = request;
  const { named } = context;
  if (named) return `repo:${named.repository?.path ?? named.name}${contentOf(request)}`;
  const [org, username] = [text(params['org']), text(params['username'])];
  if (org !== null && isAccount(org)) return `org:${org}${partOf(request)}`;
  if (username !== null && isAccount(username)) return `user:${username}`;
  const end = request.originalUrl.indexOf('?');
  const path = end === -1 ? request.originalUrl : request.originalUrl.slice(0, end);
  return path.slice(0, MAX_RESOURCE).toWellFormed();
}

/** The part of an organization that the path names, as the entries of changes write it. */
function partOf({ params }: Request): string {
  return PARTS.map(([parameter, kind]) => {
    const name = text(params[parameter]);
    return name !== null && isAccount(name) ? `/${kind}:${name}` : '';
  }).join('');
}

function contentOf({ params, query }: Request): string {
  const tag = text(params['tag']) ?? text(params['reference']);
  return contentText(text(params['digest']) ?? tag ?? text(query['digest']) ?? text(query['mount']), tag);
}

function contentText(digest: string | null, tag: string | null): string {
  if (digest !== null && DIGEST.test(digest)) return `@${digest}`;
  return tag !== null && TAG.test(tag) ? `:${tag}` : '';
}

/**
 * An admitted request acted in the namespace of its path, whether its target existed before or not. Refused requests
 * are shown to the namespace's owners only where they concern existing content or their own members.
 */
function namespaceOf(
  { params, context: { named, principal } }: Request,
  outcome: AuditEvent['outcome'],
): string | null {
  const name = named ? (named.name.split('/')[0] ?? null) : text(params['org']);
  return name === null ? null : shownIn(name, principal, outcome);
}

function shownIn(name: string, principal: Principal | null, outcome: AuditEvent['outcome']): string | null {
  if (!isAccount(name)) return null;
  return outcome !== 'denied' || (principal !== null && belongsTo(principal, name)) ? name : null;
}

function belongsTo(principal: Principal, name: string): boolean {
  return (principal.kind === 'user' && principal.username === name) || membershipIn(principal, name) !== null;
}

function isAccount(name: string): boolean {
  return name.length <= MAX_ACCOUNT && ACCOUNT.test(name);
}

function conditionOf(error: unknown): string | null {
  return error instanceof Error && 'condition' in error ? String(error.condition) : null;
}

function statusOf(response: Response): number {
  return response.headersSent ? response.statusCode : CLIENT_LEFT;
}

function text(value: unknown): string | null {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' ? first : null;
}

import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { isUnlimited, limitsManageEverything } from '../../access/credential-limits.js';
import { decideOrganization } from '../../access/organization-policy.js';
import { type Decision, decide, SCOPE_TO_ASK } from '../../access/policy.js';
import { principalKey, type UserPrincipal } from '../../access/principal.js';
import { FactCache } from '../../cache/fact-cache.js';
import { AppConfig } from '../../config/config.js';
import { ACCESS_RULE, type AccessRule } from '../../http/guards/access.decorator.js';
import { AUDITED_ROUTE, type AuditedRoute } from '../../http/guards/audited.decorator.js';
import { isRegistryPath } from '../../http/connections/request-target.js';
import type { EarlyFact } from '../../http/guards/early-fact.js';
import { RequestAuthorization } from '../../http/guards/request-authorization.js';
import type { RepositoryFact, RepositoryTarget } from '../../access/repository-fact.js';
import { WriteConcurrency } from '../../http/write-concurrency.js';
import type { RepositoryName } from '../../oci/repository-name.js';
import { CATALOG_SCOPE, repositoryScope, type Scope } from '../../oci/scope.js';
import { repositoryAccess } from '../../registry/repos/repo-access.js';
import { ReposService } from '../../registry/repos/repos.service.js';
import { Authenticator, type Authenticated, NOBODY } from './authenticator.js';
import { pathName } from './path-name.js';
import { Refusal, refusalError, type RefusalReason } from './refusal.js';

type ClosedRule = Exclude<AccessRule, { kind: 'public' }>;
type RepositoryRule = Extract<AccessRule, { kind: 'repository' }>;

const REFUSAL_OF = {
  challenge: 'credentialsMissing',
  insufficientScope: 'scopeInsufficient',
  notFound: 'unknown',
  denied: 'denied',
} as const satisfies Record<Exclude<Decision, 'allow'>, RefusalReason>;

/** What its decorators say of a route. */
interface RouteRules {
  readonly access: AccessRule;
  readonly audited: AuditedRoute | null;
}

/** A question that was asked before it was known whether it is the right one. */
interface Peek {
  readonly fact: EarlyFact<unknown>;
  readonly repositoryId: number;
  readonly value: Promise<unknown>;
}

/** Methods that change nothing. */
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** The one guard of every route: closed unless the route's rule opens it. What it found is in `request.context`. */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly routes = new Map<unknown, RouteRules>();

  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
    private readonly repositories: ReposService,
    private readonly facts: FactCache,
    private readonly turns: WriteConcurrency,
    private readonly config: AppConfig,
  ) {}

  /** Waits only for what is not in memory: this runs on each request. */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { access: rule, audited } = this.rulesOf(context);
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    request.context.audited = audited;
    if (rule.kind === 'public') {
      if (rule.limit === 'token') this.authenticator.countTokenRequest(request);
      return true;
    }
    await this.enter(rule, request, context);
    if (READS.has(request.method) || isRegistryPath(request.path)) return true;
    const { principal } = request.context;
    if (principal === null || principal.kind === 'anonymous') return true;
    const wait = this.turns.take(principalKey(principal), http.getResponse<Response>());
    if (wait === null) return true;
    await wait;
    // What was true before the wait need not be any more.
    await this.enter(rule, request, context);
    return true;
  }

  private async enter(rule: ClosedRule, request: Request, context: ExecutionContext): Promise<void> {
    const name = rule.kind === 'repository' ? pathName(request, this.config) : null;
    try {
      // All questions leave together, so that a shared cache is one round trip away and not three.
      const asked = name === null ? null : this.repositories.find(name);
      asked?.catch(() => undefined); // a refused request does not await it
      const peeked = name === null ? undefined : this.peek(rule, name, request);
      const caller = await this.authenticator.authenticate(context, request, this.graceOf(rule));
      request.context.principal = caller.principal;
      request.context.credential = caller.credential;
      if (rule.kind !== 'repository') requireCaller(rule, caller, request);
      else if (name !== null) {
        const repository = await asked;
        request.context.named = { name, repository };
        request.context.target = enterRepository(rule, caller, name, repository);
        if (peeked && repository?.id === peeked.repositoryId) {
          request.context.early = { to: peeked.fact, value: await peeked.value };
        }
      }
      if (READS.has(request.method)) return;
      request.context.authorization = new RequestAuthorization(request, () =>
        this.enterAgain(rule, caller, name, request),
      );
    } catch (error) {
      throw this.answerTo(error, rule, name, request);
    }
  }

  /**
   * The caller of a request that was let in, by the facts of now, and at the repository that it was let in to: another one
   * that has its path by now is not what it asked for.
   */
  private async enterAgain(
    rule: ClosedRule,
    known: Authenticated,
    name: RepositoryName | null,
    request: Request,
  ): Promise<void> {
    const before = request.context.target?.repository ?? null;
    try {
      const asked = name === null ? null : this.repositories.find(name);
      asked?.catch(() => undefined); // as above
      const caller = await this.authenticator.again(known);
      const repository = await asked;
      if (rule.kind !== 'repository') requireCaller(rule, caller, request);
      else if (name !== null) {
        request.context.named = { name, repository };
        if (before !== null && repository?.id !== before.id) throw new Refusal('unknown');
        request.context.target = enterRepository(rule, caller, name, repository);
      }
    } catch (error) {
      throw this.answerTo(error, rule, name, request);
    }
  }

  private answerTo(error: unknown, rule: ClosedRule, name: RepositoryName | null, request: Request): unknown {
    if (!(error instanceof Refusal)) return error;
    if (name !== null) request.context.named ??= { name, repository: null };
    return refusalError(error, request, this.config, scopeToAsk(rule, name));
  }

  private rulesOf(context: ExecutionContext): RouteRules {
    const handler = context.getHandler();
    const known = this.routes.get(handler);
    if (known) return known;
    const access = this.reflector.getAllAndOverride<AccessRule | undefined>(ACCESS_RULE, [handler, context.getClass()]);
    if (!access) throw new Error(`${context.getClass().name}.${handler.name} declares no @Access`);
    const audited = this.reflector.get<AuditedRoute | undefined>(AUDITED_ROUTE, handler) ?? null;
    const rules = { access, audited };
    this.routes.set(handler, rules);
    return rules;
  }

  /** Only where the answer is a round trip away, and for the repository that was there last: it then comes with the others. */
  private peek(rule: ClosedRule, name: RepositoryName, request: Request): Peek | undefined {
    if (!this.facts.shared || rule.kind !== 'repository' || rule.next === undefined) return undefined;
    const repositoryId = this.repositories.lastSeenAt(name);
    if (repositoryId === undefined) return undefined;
    const fact = rule.next;
    return { fact, repositoryId, value: this.facts.peek(fact.nameFor(repositoryId, request.params)) };
  }

  private graceOf(rule: AccessRule): number {
    return rule.kind === 'repository' && rule.allowExpiredToken === true ? this.config.storage.uploadExpirySeconds : 0;
  }
}

/** What a token would have to cover; the refusal says it. */
function scopeToAsk(rule: ClosedRule, name: RepositoryName | null): Scope | undefined {
  if (rule.kind === 'repository') return name === null ? undefined : repositoryScope(name, SCOPE_TO_ASK[rule.action]);
  return rule.kind === 'authenticated' && rule.scope === 'catalog' ? CATALOG_SCOPE : undefined;
}

function requireCaller(rule: Exclude<ClosedRule, RepositoryRule>, caller: Authenticated, request: Request): void {
  switch (rule.kind) {
    case 'anyone':
      requireUnscoped(caller, request);
      return;
    case 'authenticated':
      requireCredential(caller, request);
      if (rule.scope === 'catalog') requireCatalog(caller);
      return;
    case 'account':
      requireUser(caller, request);
      if (!isUnlimited(caller.credential.limits)) throw new Refusal('denied');
      return;
    case 'user':
      requireManager(caller, request);
      return;
    case 'administrator':
      if (!requireManager(caller, request).admin) throw new Refusal('denied');
      return;
    case 'organization':
      requireCredential(caller, request);
      enterOrganization(rule, caller, request);
  }
}

function requireUser(caller: Authenticated, request: Request): UserPrincipal {
  requireCredential(caller, request);
  if (caller.principal.kind !== 'user') throw new Refusal('denied');
  return caller.principal;
}

function requireManager(caller: Authenticated, request: Request): UserPrincipal {
  const user = requireUser(caller, request);
  if (!limitsManageEverything(caller.credential.limits)) throw new Refusal('denied');
  return user;
}

/** From the names in the path and the caller's facts, without a query, whether the organization exists or not. */
function enterOrganization(
  { action }: Extract<AccessRule, { kind: 'organization' }>,
  { principal, credential: { limits } }: Authenticated,
  { params }: Request,
): void {
  const { org, team } = params as { org: string; team?: string };
  const decision = decideOrganization({ principal, action, limits, org, team });
  if (decision !== 'allow') throw new Refusal(REFUSAL_OF[decision]);
}

function requireCatalog({ credential }: Authenticated): void {
  if (credential.scopes?.hasCatalog === false) throw new Refusal('scopeInsufficient');
}

function requireCredential(caller: Authenticated, request: Request): void {
  if (caller.credential === NOBODY.credential) throw new Refusal('credentialsMissing');
  if (isRegistryPath(request.path)) return;
  requireUnscoped(caller, request);
  if (caller.principal.kind === 'anonymous') throw new Refusal('credentialsMissing');
}

/** What was handed to a build for one repository does not open its user's account. */
function requireUnscoped({ credential }: Authenticated, { path }: Request): void {
  if (credential.scopes !== null && !isRegistryPath(path)) throw new Refusal('scopeInsufficient');
}

/** Throws `Refusal`. */
export function enterRepository(
  { action, unknown, formerPath }: RepositoryRule,
  { principal, credential }: Authenticated,
  name: RepositoryName,
  repository: RepositoryFact | null,
): RepositoryTarget {
  const scoped = credential.scopes === null ? null : credential.scopes.actionsOn(name);
  const decideFor = (there: RepositoryFact | null): Decision =>
    decide({ ...repositoryAccess(principal, credential.limits, name, there), principal, action, scoped });
  const decision = decideFor(repository);
  if (decision === 'allow') return { name, repository };
  const hasLeft = repository !== null && repository.path !== name;
  if (formerPath === 'standing' && hasLeft && decideFor(null) === 'allow') return { name, repository };
  throw new Refusal(decision === 'notFound' && unknown === 'denied' ? 'denied' : REFUSAL_OF[decision]);
}

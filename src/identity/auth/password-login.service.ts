import { createHmac, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { UserPrincipal } from '../../access/principal.js';
import { type PasswordProof, UsersService } from '../users/users.service.js';
import { PrincipalStateService, principalOf } from './principal-state.service.js';
import { LoginThrottle } from './login-throttle.js';
import { Refusal } from './refusal.js';

const REMEMBERED_MS = 60_000;
const MAX_REMEMBERED = 10_000;

export interface PasswordLogin extends PasswordProof {
  readonly principal: UserPrincipal;
}

/**
 * User names with passwords. Clients that send them on each request pay argon2id once a minute: a proof is remembered
 * under a keyed hash of both, whose key lives and dies with this process, and counts only while the user is as live
 * as when it was made.
 */
@Injectable()
export class PasswordLoginService {
  private readonly key = randomBytes(32);
  private readonly proofs = new LRUCache<string, PasswordProof>({ max: MAX_REMEMBERED, ttl: REMEMBERED_MS });
  private readonly underWay = new Map<string, Promise<PasswordProof>>();

  constructor(
    private readonly users: UsersService,
    private readonly principalStates: PrincipalStateService,
    private readonly throttle: LoginThrottle,
  ) {}

  /** Throws `Refusal`: wrong, disabled, or too many failures from this address. */
  async login(username: string, password: string, address: string): Promise<PasswordLogin> {
    const name = this.nameOf(username, password);
    const proof = this.proofs.get(name);
    // A cached password takes no failure back: others at the address of a busy client could keep guessing.
    if (proof) {
      const principal = await this.live(proof);
      if (principal) return { ...proof, principal };
      this.proofs.delete(name);
    }
    const fresh = await this.proveOnce(name, username, password, address);
    // The proof of another request may be older than this one.
    const principal = await this.live(fresh);
    if (!principal) throw new Refusal('credentialsWrong');
    return { ...fresh, principal };
  }

  /** A client that opens ten connections with one password is one attempt. */
  private proveOnce(name: string, username: string, password: string, address: string): Promise<PasswordProof> {
    const pair = `${name}|${address}`;
    const known = this.underWay.get(pair);
    if (known) return known;
    const proof = this.prove(name, username, password, address).finally(() => this.underWay.delete(pair));
    this.underWay.set(pair, proof);
    return proof;
  }

  private async prove(name: string, username: string, password: string, address: string): Promise<PasswordProof> {
    await this.throttle.begin(username, address);
    const proof = await this.users.provePassword(username, password);
    // Read after the password: one that was changed meanwhile has another version by now.
    if (!proof || !(await this.live(proof))) throw new Refusal('credentialsWrong');
    await this.throttle.succeed(username, address);
    this.proofs.set(name, proof);
    return proof;
  }

  private async live({ userId: id, credentialsVersion }: PasswordProof): Promise<UserPrincipal | null> {
    const user = await this.principalStates.read(this.principalStates.request({ kind: 'user', id }));
    const principal = principalOf(user, credentialsVersion, null);
    return principal?.kind === 'user' ? principal : null;
  }

  private nameOf(username: string, password: string): string {
    // The length keeps `a` + `bc` apart from `ab` + `c`.
    return createHmac('sha256', this.key).update(`${username.length}:${username}${password}`).digest('base64');
  }
}

import { Injectable } from '@nestjs/common';
import { type CredentialLimits, UNLIMITED } from '../../access/credential-limits.js';
import { type Principal, principalName, type UserPrincipal } from '../../access/principal.js';
import type { TokenHolder } from './tokens/access-token.js';
import { looksLikeKey } from '../keys/api-key-text.js';
import { ApiKeysService } from '../keys/api-keys.service.js';
import { PrincipalStateService, principalOf } from './principal-state.service.js';
import { PasswordLoginService } from './password-login.service.js';
import { Refusal } from './refusal.js';

/** A caller authenticated by a secret: a password, or an API key. */
export interface Login {
  readonly principal: Exclude<Principal, { kind: 'anonymous' }>;
  readonly holder: TokenHolder;
  readonly label: string;
  readonly limits: CredentialLimits;
  /** When the credential ends, seconds since the epoch. */
  readonly endsAt: number | null;
  /** `null` for a password. */
  readonly keyId: string | null;
}

export interface UserLogin extends Login {
  readonly principal: UserPrincipal;
}

@Injectable()
export class CredentialsService {
  constructor(
    private readonly passwords: PasswordLoginService,
    private readonly keys: ApiKeysService,
    private readonly principalStates: PrincipalStateService,
  ) {}

  /** User name and password, or a name and its key. Throws `Refusal`. */
  async login(username: string, secret: string, address: string): Promise<Login> {
    if (!looksLikeKey(secret)) return this.password(username, secret, address);
    const login = await this.key(secret, address);
    // A key opens its holder's account, under no other name.
    if (principalName(login.principal) !== username) throw new Refusal('credentialsWrong');
    return login;
  }

  /** User name and password alone: what a session is opened with, since it would outgrow a key. Throws `Refusal`. */
  async password(username: string, password: string, address: string): Promise<UserLogin> {
    const { principal, userId, credentialsVersion } = await this.passwords.login(username, password, address);
    const holder = { kind: 'user', id: userId, credentialsVersion } as const;
    return { principal, holder, label: 'password', limits: UNLIMITED, endsAt: null, keyId: null };
  }

  /** A key by itself. Throws `Refusal`. */
  async key(text: string, address: string): Promise<Login> {
    const known = await this.keys.find(text, address);
    const live = known && (await this.principalStates.read(this.principalStates.request(known.holder)));
    // Whether a key that was seen before the last revocations is among them, only its row can say.
    const isOld = live && known.foundAt <= (live.issuedAfter ?? -Infinity);
    const key = isOld ? await this.keys.findAgain(text, address) : known;
    const principal = key && live && principalOf(live, live.credentialsVersion, key.label);
    if (!principal) throw new Refusal('credentialsWrong');
    const holder = { ...key.holder, credentialsVersion: live.credentialsVersion };
    return { principal, holder, label: key.label, limits: key.limits, endsAt: key.expiresAt, keyId: key.id };
  }
}

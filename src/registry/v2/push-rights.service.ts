import { Injectable } from '@nestjs/common';
import { mayAct, roleFrom } from '../../access/policy.js';
import type { TokenHolder } from '../../identity/auth/tokens/access-token.js';
import { PrincipalStateService } from '../../identity/auth/principal-state.service.js';
import type { Authorization } from '../../http/guards/request-authorization.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import { OciError } from '../../oci/oci-error.js';
import { ReposService } from '../repos/repos.service.js';

/** The principal of work that a node finishes later, as its row names it. */
export interface Pusher {
  /** Such as `user:7`. */
  readonly principal: string;
  /** Such as `key:<id>`: what it may do was judged by the requests, and never changes. */
  readonly credential: string;
}

const HOLDER = /^(user|robot):(\d{1,16})$/;

/** The right to push of a principal whose request was answered long ago. */
@Injectable()
export class PushRights {
  constructor(
    private readonly principalStates: PrincipalStateService,
    private readonly repositories: ReposService,
  ) {}

  /** One that throws `denied` once the principal, its credential or its right is gone, or another repository is at the path. */
  of(pusher: Pusher, repository: Pick<RepositoryFact, 'id' | 'path'>): Authorization {
    return { renew: () => this.require(pusher, repository) };
  }

  private async require(
    { principal: key, credential }: Pusher,
    { id, path }: Pick<RepositoryFact, 'id' | 'path'>,
  ): Promise<void> {
    const [, kind, number] = HOLDER.exec(key) ?? [];
    if (kind !== 'user' && kind !== 'robot') throw new OciError('denied');
    const request = this.principalStates.request({ kind, id: Number(number) });
    const [repository, live] = await Promise.all([this.repositories.find(path), this.principalStates.read(request)]);
    // The row has no time of issue; a new version of the credentials does not end a push that has begun.
    const holder: TokenHolder = { kind, id: Number(number), credentialsVersion: live?.credentialsVersion ?? 0 };
    const principal = await this.principalStates.judge(live, { holder, label: credential, issuedAt: 0 });
    if (!principal || repository?.id !== id) throw new OciError('denied');
    const { namespaceId, grants, visibility } = repository;
    if (!mayAct('push', { visibility, role: roleFrom({ principal, namespaceId, grants }) }))
      throw new OciError('denied');
  }
}

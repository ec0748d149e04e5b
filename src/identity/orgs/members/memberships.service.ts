import { Injectable } from '@nestjs/common';
import type { Membership, TeamMembership } from '../../../access/principal.js';
import { MembershipsRepository } from './memberships.repository.js';

export interface Memberships {
  readonly memberships: readonly Membership[];
  readonly teams: readonly TeamMembership[];
}

@Injectable()
export class MembershipsService {
  constructor(private readonly members: MembershipsRepository) {}

  /** Read from the database; to be cached under the user's subject, which every change of it drops. */
  async load(userId: number): Promise<Memberships> {
    const [memberships, teams] = await Promise.all([this.members.memberships(userId), this.members.teams(userId)]);
    return { memberships, teams };
  }
}

import {
  Check,
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  type Relation,
} from 'typeorm';
import { User } from '../../users/user.entity.js';
import { Org } from '../org.entity.js';

@Entity('org_members')
@Index('org_members_user_id_idx', ['userId'])
@Check('org_members_role_check', `role IN ('owner', 'admin', 'member')`)
export class OrgMember {
  @PrimaryColumn('bigint', { name: 'org_id', primaryKeyConstraintName: 'org_members_pkey' })
  orgId: number;

  @PrimaryColumn('bigint', { name: 'user_id', primaryKeyConstraintName: 'org_members_pkey' })
  userId: number;

  @ManyToOne(() => Org, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'org_id', foreignKeyConstraintName: 'org_members_org_id_fkey' })
  org: Relation<Org>;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'org_members_user_id_fkey' })
  user: Relation<User>;

  @Column('text')
  role: 'owner' | 'admin' | 'member';

  /**
   * Whether the user made the organization or joined it themselves: only that counts against what they may do. False of
   * those that a node of the version before wrote: ask with `consented`.
   */
  @Column('boolean', { default: false })
  consented: boolean;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;
}

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

/** Makes one user a member of the organization: the holder of the code, or the user that it names. */
@Entity('org_invitations')
@Index('org_invitations_lookup_key', ['lookup'], { unique: true })
@Index('org_invitations_org_id_idx', ['orgId'])
@Index('org_invitations_accepted_by_idx', ['acceptedById'])
@Index('org_invitations_invitee_id_org_id_key', ['inviteeId', 'orgId'], { unique: true, where: 'accepted_at IS NULL' })
@Check('org_invitations_role_check', `role IN ('owner', 'admin', 'member')`)
export class OrgInvitation {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'org_invitations_pkey' })
  id: string;

  @Column('bigint', { name: 'org_id' })
  orgId: number;

  @ManyToOne(() => Org, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'org_id', foreignKeyConstraintName: 'org_invitations_org_id_fkey' })
  org: Relation<Org>;

  @Column('text')
  role: 'owner' | 'admin' | 'member';

  /** SHA-256 of the code; of an undisclosed one where the invitation names a user. */
  @Column('bytea')
  lookup: Buffer;

  /** For the people who sent it. */
  @Column('text', { nullable: true })
  note: string | null;

  /** Principal, such as `user:7`. */
  @Column('text', { name: 'created_by' })
  createdBy: string;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;

  @Column('timestamptz', { name: 'accepted_at', nullable: true })
  acceptedAt: Date | null;

  @Column('bigint', { name: 'accepted_by', nullable: true })
  acceptedById: number | null;

  @ManyToOne(() => User)
  @JoinColumn({ name: 'accepted_by', foreignKeyConstraintName: 'org_invitations_accepted_by_fkey' })
  acceptedBy: Relation<User> | null;

  /** The only user who may accept it; `null` when the code decides. */
  @Column('bigint', { name: 'invitee_id', nullable: true })
  inviteeId: number | null;

  @ManyToOne(() => User)
  @JoinColumn({ name: 'invitee_id', foreignKeyConstraintName: 'org_invitations_invitee_id_fkey' })
  invitee: Relation<User> | null;
}

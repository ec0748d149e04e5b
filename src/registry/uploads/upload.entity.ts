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
import { digestColumn } from '../../oci/digest-bytes.js';
import type { Algorithm, Digest } from '../../oci/digest.js';
import { Repo } from '../repos/repo.entity.js';
import type { WriterState } from '../../storage/writer-state.js';
import type { DirectPlan } from '../direct-uploads/direct-plan.js';

/** `direct` and `verifying` are of uploads whose bytes go from the client to the store. */
export type UploadState = 'open' | 'completing' | 'direct' | 'verifying' | 'done' | 'failed';

/**
 * An upload session: all that another node needs to go on. Every statement that moves it carries the epoch of the
 * request that claimed it, so an earlier writer that is still running cannot. A done row answers a repeated PUT
 * until it expires.
 */
@Entity('uploads')
@Index('uploads_expires_at_idx', ['expiresAt'])
@Index('uploads_repo_id_idx', ['repoId'])
@Index('uploads_principal_idx', ['principal'], { where: `state IN ('open', 'direct')` })
@Index('uploads_verify_after_idx', ['verifyAfter'], { where: `state = 'verifying'` })
@Index('uploads_compact_after_idx', ['compactAfter'], { where: 'compact_after IS NOT NULL' })
@Check('uploads_state_check', `state IN ('open', 'completing', 'direct', 'verifying', 'done', 'failed')`)
export class Upload {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'uploads_pkey' })
  id: string;

  @Column('bigint', { name: 'repo_id' })
  repoId: number;

  @ManyToOne(() => Repo)
  @JoinColumn({ name: 'repo_id', foreignKeyConstraintName: 'uploads_repo_id_fkey' })
  repo: Relation<Repo>;

  @Column('text', { default: 'open' })
  state: UploadState;

  /** Raised by each request that claims the upload: docs/design/uploads.md#epochs */
  @Column('integer', { default: 0 })
  epoch: number;

  /** Acknowledged bytes: where the next request must start. */
  @Column('bigint', { default: 0 })
  received: number;

  /** The object that a done upload became; names of what is written before that follow from the id and the epoch. */
  @Column('text', { name: 'object_key', nullable: true })
  objectKey: string | null;

  /** What the store's writer needs to go on: parts, tail, segments. */
  @Column('jsonb', { nullable: true })
  writer: WriterState | null;

  /** The bytes themselves, while they are few: a small blob meets the store only at its commit. */
  @Column('bytea', { name: 'head', nullable: true })
  inline: Buffer | null;

  /** The algorithm that `hashState` or `digest` was made with. */
  @Column('text', { default: 'sha256' })
  algorithm: Algorithm;

  /** The library build that made `hashState`: a state loads in no other. */
  @Column('text', { name: 'hash_library', nullable: true })
  hashLibrary: string | null;

  @Column('bytea', { name: 'hash_state', nullable: true })
  hashState: Buffer | null;

  /** Of all received bytes when one request brought them; of the blob once the upload is done. */
  @Column('bytea', { nullable: true, transformer: digestColumn })
  digest: Digest | null;

  /** What the closing request asked for that brought the last of the bytes. */
  @Column('bytea', { nullable: true, transformer: digestColumn })
  closing: Digest | null;

  /** Until when other closing requests wait for the one that is at work. */
  @Column('timestamptz', { name: 'closing_until', nullable: true })
  closingUntil: Date | null;

  /** `null` for uploads through the node. */
  @Column('jsonb', { nullable: true })
  direct: DirectPlan | null;

  /** Why a direct upload failed, for its client. */
  @Column('text', { nullable: true })
  reason: string | null;

  /** When any node may take up the reading of a direct upload: the lease of the one that is at it. */
  @Column('timestamptz', { name: 'verify_after', nullable: true })
  verifyAfter: Date | null;

  /** Of a done upload whose object is in several files: when any node may join them. It does not expire before that. */
  @Column('timestamptz', { name: 'compact_after', nullable: true })
  compactAfter: Date | null;

  /** Who opened it, such as `user:7`: only that principal may continue. */
  @Column('text')
  principal: string;

  /** Which credential opened it, such as `password` or `key:<id>`. */
  @Column('text')
  credential: string;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;
}

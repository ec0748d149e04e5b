import { Check, Column, Entity, PrimaryColumn } from 'typeorm';
import type { Reading } from './reading.js';

/** `fsck` is asked for; `scrub` is what the nodes do by themselves, again and again. */
export type RunKind = 'fsck' | 'scrub';
export type RunState = 'running' | 'done' | 'cancelled' | 'failed';
/** Who goes on with a run whose holder died: any node, or the next `aerugo fsck` on the database itself. */
export type Runner = 'node' | 'cli';

/**
 * The last run of each kind. Its holder has the lease and raised `epoch` when it took it; every statement that moves the
 * row carries both, so a holder that was taken over cannot.
 */
@Entity('integrity_runs')
@Check('integrity_runs_kind_check', `kind IN ('fsck', 'scrub')`)
@Check('integrity_runs_state_check', `state IN ('running', 'done', 'cancelled', 'failed')`)
@Check('integrity_runs_runner_check', `runner IN ('node', 'cli')`)
export class IntegrityRun {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'integrity_runs_pkey' })
  kind: RunKind;

  @Column('uuid')
  id: string;

  @Column('text')
  state: RunState;

  @Column('text')
  runner: Runner;

  @Column('integer', { default: 0 })
  epoch: number;

  @Column('timestamptz', { name: 'lease_until', default: () => 'now()' })
  leaseUntil: Date;

  /** Whether the bytes are read too, and not only looked for. */
  @Column('boolean')
  hash: boolean;

  @Column('bigint', { name: 'bytes_per_second' })
  bytesPerSecond: number;

  /** Every blob up to this id is checked. */
  @Column('bigint', { default: 0 })
  position: number;

  /** The last id that there was at the beginning; what is newer was just written. */
  @Column('bigint', { name: 'up_to', default: 0 })
  upTo: number;

  @Column('jsonb', { nullable: true })
  reading: Reading | null;

  @Column('bigint', { name: 'total_blobs', default: 0 })
  totalBlobs: number;

  @Column('bigint', { name: 'total_bytes', default: 0 })
  totalBytes: number;

  @Column('bigint', { default: 0 })
  blobs: number;

  /** Of the blobs that are checked; read only with `hash`. */
  @Column('bigint', { default: 0 })
  bytes: number;

  @Column('bigint', { default: 0 })
  damaged: number;

  /** Marked before, and whole now. */
  @Column('bigint', { default: 0 })
  healed: number;

  /** Of which the store did not say whether they are whole. */
  @Column('bigint', { default: 0 })
  unchecked: number;

  /** Why it failed, or why it waits. */
  @Column('text', { nullable: true })
  problem: string | null;

  @Column('timestamptz', { name: 'started_at', default: () => 'now()' })
  startedAt: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt: Date;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt: Date | null;

  /** When a run of this kind last came to its end. */
  @Column('timestamptz', { name: 'completed_at', nullable: true })
  completedAt: Date | null;
}

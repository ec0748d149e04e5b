import { Check, Column, CreateDateColumn, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';
import { digestColumn } from '../../oci/digest-bytes.js';
import type { Digest } from '../../oci/digest.js';

/** Stored bytes and where they are. Which repositories hold them is `repo_content`'s to say. */
@Entity('blobs')
@Index('blobs_domain_digest_key', ['domain', 'digest'], { unique: true })
@Index('blobs_storage_key_key', ['storageKey'], { unique: true })
@Check('blobs_state_check', `state IN ('live', 'deleting', 'damaged')`)
export class Blob {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'blobs_pkey' })
  id: number;

  /** Within what equal bytes are stored once: `*` for the whole registry, otherwise a namespace's id. */
  @Column({ type: 'text', collation: 'C' })
  domain: string;

  @Column('bytea', { transformer: digestColumn })
  digest: Digest;

  /** Bytes. */
  @Column('bigint')
  size: number;

  /** The driver that holds the object. */
  @Column('text')
  store: 'filesystem' | 's3';

  @Column('text', { name: 'storage_key' })
  storageKey: string;

  /** `damaged`: the object is missing or not what was stored, see `blob_damage`; the next push brings another one. */
  @Column('text', { default: 'live' })
  state: 'live' | 'deleting' | 'damaged';

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;
}

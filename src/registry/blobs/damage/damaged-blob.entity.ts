import { Check, Column, CreateDateColumn, Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Blob } from '../blob.entity.js';

export type DamageKind = 'missing' | 'size' | 'bytes';
export type DamageFinder = 'pull' | 'push' | 'url' | 'fsck' | 'scrub';

/**
 * What is wrong with the object of a blob. It counts only while the blob is `damaged` and has this object: nodes of an
 * earlier version give it another one and leave the row here.
 */
@Entity('blob_damage')
@Check('blob_damage_kind_check', `kind IN ('missing', 'size', 'bytes')`)
@Check('blob_damage_found_by_check', `found_by IN ('pull', 'push', 'url', 'fsck', 'scrub')`)
export class DamagedBlob {
  @PrimaryColumn('bigint', { name: 'blob_id', primaryKeyConstraintName: 'blob_damage_pkey' })
  blobId: number;

  @ManyToOne(() => Blob, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'blob_id', foreignKeyConstraintName: 'blob_damage_blob_id_fkey' })
  blob: Relation<Blob>;

  @Column('text', { name: 'storage_key' })
  storageKey: string;

  @Column('text')
  kind: DamageKind;

  @Column('text', { name: 'found_by' })
  foundBy: DamageFinder;

  @CreateDateColumn({ type: 'timestamptz', name: 'found_at' })
  foundAt: Date;

  /** Bytes that the object had; null when it was missing. */
  @Column('bigint', { name: 'found_size', nullable: true })
  foundSize: number | null;
}

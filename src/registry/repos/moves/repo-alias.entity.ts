import { Column, CreateDateColumn, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Repo } from '../repo.entity.js';

/** A repository's former path: it resolves for pulls, and no repository can be created at it until it is released. */
@Entity('repo_aliases')
@Index('repo_aliases_repo_id_idx', ['repoId'])
export class RepoAlias {
  @PrimaryColumn('text', { collation: 'C', primaryKeyConstraintName: 'repo_aliases_pkey' })
  path: string;

  @Column('bigint', { name: 'repo_id' })
  repoId: number;

  @ManyToOne(() => Repo, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'repo_id', foreignKeyConstraintName: 'repo_aliases_repo_id_fkey' })
  repo: Relation<Repo>;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;
}

import {
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
  UpdateDateColumn,
} from 'typeorm';
import { Org } from '../org.entity.js';

@Entity('teams')
@Index('teams_org_id_name_key', ['orgId', 'name'], { unique: true })
export class Team {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'teams_pkey' })
  id: number;

  @Column('bigint', { name: 'org_id' })
  orgId: number;

  @ManyToOne(() => Org, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'org_id', foreignKeyConstraintName: 'teams_org_id_fkey' })
  org: Relation<Org>;

  @Column({ type: 'text', collation: 'C' })
  name: string;

  @Column('text', { default: '' })
  description: string;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at' })
  updatedAt: Date;
}

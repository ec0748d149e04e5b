import { Column, CreateDateColumn, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from '../../users/user.entity.js';
import { Team } from './team.entity.js';

@Entity('team_members')
@Index('team_members_user_id_idx', ['userId'])
export class TeamMember {
  @PrimaryColumn('bigint', { name: 'team_id', primaryKeyConstraintName: 'team_members_pkey' })
  teamId: number;

  @PrimaryColumn('bigint', { name: 'user_id', primaryKeyConstraintName: 'team_members_pkey' })
  userId: number;

  @ManyToOne(() => Team, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'team_id', foreignKeyConstraintName: 'team_members_team_id_fkey' })
  team: Relation<Team>;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'team_members_user_id_fkey' })
  user: Relation<User>;

  @Column('boolean', { default: false })
  maintainer: boolean;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;
}

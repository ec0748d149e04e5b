import {
  Check,
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm';
import { Robot } from '../../../identity/orgs/robots/robot.entity.js';
import { Team } from '../../../identity/orgs/teams/team.entity.js';
import { User } from '../../../identity/users/user.entity.js';
import { Repo } from '../repo.entity.js';

/** One user's, team's or robot's role in one repository. */
@Entity('repo_grants')
@Index('repo_grants_repo_id_user_id_key', ['repoId', 'userId'], { unique: true, where: 'user_id IS NOT NULL' })
@Index('repo_grants_repo_id_team_id_key', ['repoId', 'teamId'], { unique: true, where: 'team_id IS NOT NULL' })
@Index('repo_grants_repo_id_robot_id_key', ['repoId', 'robotId'], { unique: true, where: 'robot_id IS NOT NULL' })
@Index('repo_grants_repo_id_path_idx', ['repoId', 'path'])
@Index('repo_grants_user_id_path_idx', ['userId', 'path'])
@Index('repo_grants_team_id_path_idx', ['teamId', 'path'])
@Index('repo_grants_robot_id_path_idx', ['robotId', 'path'])
@Check('repo_grants_role_check', `role IN ('read', 'write', 'admin')`)
@Check('repo_grants_subject_check', 'num_nonnulls(user_id, team_id, robot_id) = 1')
export class RepoGrant {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'repo_grants_pkey' })
  id: number;

  @Column('bigint', { name: 'repo_id' })
  repoId: number;

  /** The repository's path, kept equal by the foreign key: lists of a grantee's repositories are read in its order. */
  @Column({ type: 'text', collation: 'C' })
  path: string;

  @ManyToOne(() => Repo, { onDelete: 'CASCADE', onUpdate: 'CASCADE' })
  @JoinColumn([
    { name: 'repo_id', referencedColumnName: 'id', foreignKeyConstraintName: 'repo_grants_repo_fkey' },
    { name: 'path', referencedColumnName: 'path', foreignKeyConstraintName: 'repo_grants_repo_fkey' },
  ])
  repo: Relation<Repo>;

  @Column('bigint', { name: 'user_id', nullable: true })
  userId: number | null;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'repo_grants_user_id_fkey' })
  user: Relation<User> | null;

  @Column('bigint', { name: 'team_id', nullable: true })
  teamId: number | null;

  @ManyToOne(() => Team, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'team_id', foreignKeyConstraintName: 'repo_grants_team_id_fkey' })
  team: Relation<Team> | null;

  @Column('bigint', { name: 'robot_id', nullable: true })
  robotId: number | null;

  @ManyToOne(() => Robot, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'robot_id', foreignKeyConstraintName: 'repo_grants_robot_id_fkey' })
  robot: Relation<Robot> | null;

  @Column('text')
  role: 'read' | 'write' | 'admin';

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;
}

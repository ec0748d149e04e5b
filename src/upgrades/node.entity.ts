import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** A process that serves requests: a node, or one worker of it. */
@Entity('nodes')
export class Node {
  /** Made anew at each start. */
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'nodes_pkey' })
  id: string;

  /** The host, and the worker's number where there are several. */
  @Column('text')
  name: string;

  @Column('text')
  version: string;

  /** Its `NODE_LEVEL`. */
  @Column('integer')
  level: number;

  @CreateDateColumn({ type: 'timestamptz', name: 'started_at' })
  startedAt: Date;

  @Column('timestamptz', { name: 'seen_at', default: () => 'now()' })
  seenAt: Date;
}

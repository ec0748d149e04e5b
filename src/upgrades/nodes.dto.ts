import { ApiProperty } from '@nestjs/swagger';
import { NODE_LEVEL } from './node-level.js';
import type { Node } from './node.entity.js';

const TIME = { example: '2026-01-02T03:04:05.000Z', format: 'date-time' } as const;

/** A process that serves requests, seen within the last minute. */
export class NodeDto {
  @ApiProperty({ example: '0b0e5b8e-6a5c-4c80-9f0f-0f7d4ac2a6c1', format: 'uuid' })
  readonly id: string;

  @ApiProperty({
    example: 'aerugo-0/1',
    description: 'Its host, and the number of the worker where there are several.',
  })
  readonly name: string;

  @ApiProperty({ example: '0.2.0' })
  readonly version: string;

  @ApiProperty({ type: 'integer', example: 1, description: 'The rules that its version obeys.' })
  readonly level: number;

  @ApiProperty(TIME)
  readonly startedAt: string;

  @ApiProperty(TIME)
  readonly seenAt: string;

  constructor({ id, name, version, level, startedAt, seenAt }: Node) {
    this.id = id;
    this.name = name;
    this.version = version;
    this.level = level;
    this.startedAt = startedAt.toISOString();
    this.seenAt = seenAt.toISOString();
  }
}

export class NodesDto {
  @ApiProperty({ type: 'integer', example: 1, description: 'The rules that are on: no live node has a lower level.' })
  readonly level: number;

  @ApiProperty({ example: true, description: 'Whether these are all rules of the version that answers.' })
  readonly isFinished: boolean;

  @ApiProperty({ type: [NodeDto], description: 'At most 1,000. Nodes of 0.1 are not among them.' })
  readonly nodes: readonly NodeDto[];

  constructor(level: number, nodes: readonly Node[]) {
    this.level = level;
    this.isFinished = level >= NODE_LEVEL;
    this.nodes = nodes.map((node) => new NodeDto(node));
  }
}

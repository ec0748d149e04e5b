import { ApiProperty } from '@nestjs/swagger';
import type { UnfinishedRow } from '../repos.repository.js';

export class UnfinishedRepositoryDto {
  @ApiProperty({ example: 'acme/app', description: 'It can be deleted by this path as any repository.' })
  readonly path: string;

  @ApiProperty({ example: '2026-01-02T03:04:05.000Z', format: 'date-time' })
  readonly createdAt: string;

  constructor({ path, createdAt }: UnfinishedRow) {
    this.path = path;
    this.createdAt = createdAt.toISOString();
  }
}

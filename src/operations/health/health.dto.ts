import { ApiProperty } from '@nestjs/swagger';
import type { Health } from './health.service.js';
import type { Writes } from './writes/write-checks.service.js';
import { WRITE_REASONS } from './writes/write-reasons.js';

const CHECK = { enum: ['ok', 'failed'], example: 'ok' };

export class ChecksDto implements Record<keyof Health['checks'], 'ok' | 'failed'> {
  @ApiProperty(CHECK)
  database: 'ok' | 'failed';

  @ApiProperty(CHECK)
  store: 'ok' | 'failed';

  @ApiProperty(CHECK)
  cache: 'ok' | 'failed';
}

const WRITE = { enum: ['ok', ...WRITE_REASONS], example: 'ok' };

export class WritesDto implements Writes {
  @ApiProperty(WRITE)
  database: Writes['database'];

  @ApiProperty(WRITE)
  store: Writes['store'];
}

export class HealthDto implements Health {
  @ApiProperty({ enum: ['ok', 'degraded', 'down', 'draining'], example: 'ok' })
  status: Health['status'];

  @ApiProperty({ type: ChecksDto })
  checks: ChecksDto;

  @ApiProperty({ type: WritesDto, description: 'Whether writes succeed, or why not' })
  writes: WritesDto;
}

import { ApiProperty } from '@nestjs/swagger';
import type { Health } from './health.service.js';

const CHECK = { enum: ['ok', 'failed'], example: 'ok' };

export class ChecksDto implements Record<keyof Health['checks'], 'ok' | 'failed'> {
  @ApiProperty(CHECK)
  database: 'ok' | 'failed';

  @ApiProperty(CHECK)
  store: 'ok' | 'failed';

  @ApiProperty(CHECK)
  cache: 'ok' | 'failed';
}

export class HealthDto implements Health {
  @ApiProperty({ enum: ['ok', 'degraded', 'down', 'draining'], example: 'ok' })
  status: Health['status'];

  @ApiProperty({ type: ChecksDto })
  checks: ChecksDto;
}

import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsString, Max, MaxLength, Min } from 'class-validator';
import { MayBeAbsent } from '../validation/validation.js';

export const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1000;

/** What every list of /api/v1 takes. */
export class ListQueryDto {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT })
  @MayBeAbsent()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAX_LIMIT)
  limit?: number;

  @ApiPropertyOptional({ description: '`next` of the previous page.' })
  @MayBeAbsent()
  @IsString()
  @MaxLength(2048)
  cursor?: string;
}

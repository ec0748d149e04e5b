import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, Max, Min } from 'class-validator';
import { ApiError } from '../../http/errors/api-error.js';
import { MayBeAbsent } from '../../http/validation/validation.js';

/** OpenAPI's description of `force`. */
export const FORCE =
  'With repositories it is refused with 409, unless `force=true` and `repositories` is their number: then all are ' +
  'deleted too, 10,000 at most. Repositories without a manifest do not count.';

const MAX_NUMBER = 1_000_000_000;

export class NamespaceDeletionQueryDto {
  @ApiPropertyOptional({
    type: 'boolean',
    default: false,
    description: 'Deletes the repositories too; `repositories` must then be their number.',
  })
  @MayBeAbsent()
  @IsIn(['true', 'false'])
  force?: 'true' | 'false';

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: MAX_NUMBER,
    description: 'With `force`: the current number of repositories; another number is 409.',
  })
  @MayBeAbsent()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(MAX_NUMBER)
  repositories?: number;
}

/** `null` when no repository may be removed. Throws `validationFailed` for one of the two parameters without the other. */
export function confirmedBy({ force, repositories }: NamespaceDeletionQueryDto): number | null {
  if (force !== 'true') {
    if (repositories === undefined) return null;
    throw wrong('force', 'must be true when repositories is given');
  }
  if (repositories === undefined) throw wrong('repositories', 'must say how many repositories are deleted with force');
  return repositories;
}

function wrong(field: string, message: string): ApiError {
  return new ApiError('validationFailed', `${field} ${message}`, { errors: [{ field, message }] });
}

import { applyDecorators } from '@nestjs/common';
import { IsISO8601, ValidateBy } from 'class-validator';

const WITH_ZONE = /T.*(?:Z|[+-]\d\d:?\d\d)$/i;

/** A time of RFC 3339 that has not come yet; `maxDays` is how far away it may be. */
export function FutureTime({ maxDays = Infinity }: { maxDays?: number } = {}): PropertyDecorator {
  const within = maxDays === Infinity ? '' : `, at most ${maxDays} days from now`;
  return applyDecorators(
    IsISO8601({ strict: true }),
    ValidateBy({
      name: 'futureTime',
      validator: {
        validate: (value: unknown) => {
          const left = typeof value === 'string' && WITH_ZONE.test(value) ? Date.parse(value) - Date.now() : NaN;
          return left > 0 && left <= maxDays * 86_400_000;
        },
        defaultMessage: () => `must be a time in the future such as 2030-01-02T03:04:05Z${within}`,
      },
    }),
  );
}

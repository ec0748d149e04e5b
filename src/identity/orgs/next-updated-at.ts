/**
 * What an update sets `updated_at` to. Entity tags have milliseconds, and of two transactions the one that began first
 * may commit last: each version must have a later millisecond than the one before it.
 */
export const NEXT_UPDATED_AT = `greatest(clock_timestamp(), updated_at + interval '1 millisecond')`;

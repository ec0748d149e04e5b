import type { Response } from 'express';
import { ApiError } from '../errors/api-error.js';

/** What an entity tag is made of; times have milliseconds. */
export interface Versioned {
  readonly id: number | string;
  readonly updatedAt: Date;
}

export function versionTag({ id, updatedAt }: Versioned): string {
  return `"${id}-${updatedAt.getTime()}"`;
}

/** `ETag` of what is about to be shown. */
export function showVersion(response: Response, version: Versioned): void {
  response.setHeader('ETag', versionTag(version));
}

/**
 * What an update is conditional on: the time of the version that `If-Match` names, for the statement's `WHERE`, or `null`
 * when the client sets no condition. Throws `preconditionFailed` when it names another version than this one.
 */
export function unchangedSince(ifMatch: string | undefined, version: Versioned): Date | null {
  if (ifMatch === undefined || ifMatch === '*') return null;
  if (ifMatch !== versionTag(version)) throw new ApiError('preconditionFailed');
  return version.updatedAt;
}

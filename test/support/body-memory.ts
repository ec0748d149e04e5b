import type { Request } from 'express';
import type { AppConfig } from '../../src/config/config.js';
import { NODE_SHARE } from '../../src/fairness/share.js';
import { type BodyBuffer, BodyMemory } from '../../src/http/bodies/body-memory.js';

/** Room for bodies of tests that have no server. */
export function bodyMemory(): BodyMemory {
  return new BodyMemory({ registry: { manifestMaxBytes: 4 * 2 ** 20 } } as unknown as AppConfig);
}

export function bodyBuffer(): BodyBuffer {
  return bodyMemory().open({ context: { share: NODE_SHARE } } as unknown as Request);
}

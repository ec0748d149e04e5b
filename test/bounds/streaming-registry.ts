import { type Registry, startRegistry } from '../support/registry.js';

/** A registry over S3, whatever the setting of the run: only there does a transfer need a part buffer. */
export function startOnS3(env: Record<string, string>): Promise<Registry> {
  return startRegistry({ store: 's3', env });
}

import type { AppConfig } from './config.js';
import { secretProblem } from './jwt-secret.js';

/** What is allowed and still probably not meant, one line each. */
export function configWarnings(config: AppConfig): string[] {
  const warnings: string[] = [];
  if (config.server.tracing.problem !== null) warnings.push(config.server.tracing.problem);
  if (storeIsBelowRegistry(config)) {
    warnings.push(
      'redirects go to the host of the registry or one below it: clients would send their Authorization header to S3, ' +
        'which answers 400; give the store another name with S3_PUBLIC_ENDPOINT, or set STORAGE_REDIRECT=false',
    );
  }
  if (config.server.tls !== null && config.server.publicUrl?.startsWith('http:')) {
    warnings.push(
      'PUBLIC_URL begins with http://, and this node speaks HTTPS only: clients are sent to where none listens',
    );
  }
  const problem = secretProblem(config.security.jwtSecret);
  if (problem !== null) warnings.push(`JWT_SECRET ${problem}: its holder can sign tokens`);
  if (config.isProduction && config.storage.type === 'filesystem') {
    warnings.push(
      'blobs are kept on the filesystem of this node: every node needs the same DATA_DIR, or set S3_BUCKET',
    );
  }
  return warnings;
}

/** Go clients keep Authorization on a redirect to the same domain or a subdomain of it. */
function storeIsBelowRegistry({ server, storage }: AppConfig): boolean {
  if (server.publicUrl === null || storage.s3 === null || !storage.redirect) return false;
  const registry = new URL(server.publicUrl).hostname;
  const { s3 } = storage;
  const store = new URL(s3.publicEndpoint ?? s3.endpoint).hostname;
  const host = s3.pathStyle ? store : `${s3.bucket}.${store}`;
  return host === registry || host.endsWith(`.${registry}`);
}

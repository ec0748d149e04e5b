import { CredentialCleanupService } from '../../src/identity/auth/credential-cleanup.service.js';
import { OrgCleanupService } from '../../src/identity/orgs/org-cleanup.service.js';
import { RepoCleanupService } from '../../src/registry/repos/repo-cleanup.service.js';
import type { ContentServices } from './content-services.js';

/** What every module does when a user, an organization or a namespace goes. */
export function startCleanup({ handlers, drops, unitOfWork }: ContentServices): void {
  new OrgCleanupService(handlers);
  new CredentialCleanupService(handlers);
  new RepoCleanupService(handlers, drops, unitOfWork);
}

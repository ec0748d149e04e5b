/** What a route does, as the audit log calls it. */
export interface AuditedRoute {
  /** Stable, such as `repo.delete`: what, then the verb. The entry in a change's own transaction has the same. */
  readonly action: string;
  /**
   * Where an entry of its success comes from: the `transaction` of the change, or the `request`, whose answer says that
   * it has happened; `created` is for a route where only 201 says so. Refusals and failures are always the request's.
   */
  readonly success: 'transaction' | 'request' | 'created';
}

const request = (action: string): AuditedRoute => ({ action, success: 'request' });
const transaction = (action: string): AuditedRoute => ({ action, success: 'transaction' });

/** Every route that writes, and what is a pull, as OpenAPI names them; a test sees that no write is missing. */
export const AUDITED_ROUTES: Readonly<Record<string, AuditedRoute>> = {
  'GET /v2/{name}/manifests/{reference}': request('manifest.pull'),
  'PUT /v2/{name}/manifests/{reference}': transaction('manifest.push'),
  'DELETE /v2/{name}/manifests/{reference}': transaction('manifest.delete'),
  'GET /v2/{name}/blobs/{digest}': request('blob.pull'),
  'DELETE /v2/{name}/blobs/{digest}': transaction('blob.delete'),
  'POST /v2/{name}/blobs/uploads': { action: 'blob.push', success: 'created' },
  // Of an upload only its end is an entry.
  'PATCH /v2/{name}/blobs/uploads/{id}': { action: 'blob.push', success: 'created' },
  'PUT /v2/{name}/blobs/uploads/{id}': request('blob.push'),
  'DELETE /v2/{name}/blobs/uploads/{id}': request('upload.cancel'),

  'GET /api/v1/auth/token': transaction('session.create'),
  'POST /api/v1/auth/token': transaction('session.create'),
  'POST /api/v1/auth/logout': transaction('session.revoke'),
  'PUT /api/v1/auth/password': transaction('password.change'),
  'POST /api/v1/auth/keys': transaction('key.create'),
  'DELETE /api/v1/auth/keys/{id}': transaction('key.revoke'),

  'POST /api/v1/users': transaction('user.create'),
  'PATCH /api/v1/users/{username}': transaction('user.update'),
  'DELETE /api/v1/users/{username}': transaction('user.delete'),
  'PUT /api/v1/users/{username}/password': transaction('password.reset'),
  'POST /api/v1/invitations': transaction('invitation.create'),
  'DELETE /api/v1/invitations/{id}': transaction('invitation.revoke'),
  'POST /api/v1/invitations/accept': transaction('invitation.accept'),
  'DELETE /api/v1/invitations/received/{id}': transaction('invitation.decline'),
  'POST /api/v1/namespaces/{name}/release': transaction('namespace.release'),
  'POST /api/v1/namespaces/release': transaction('namespace.release'),

  'POST /api/v1/orgs': transaction('org.create'),
  'PATCH /api/v1/orgs/{org}': transaction('org.update'),
  'DELETE /api/v1/orgs/{org}': transaction('org.delete'),
  'POST /api/v1/orgs/{org}/invitations': transaction('invitation.create'),
  'DELETE /api/v1/orgs/{org}/invitations/{id}': transaction('invitation.revoke'),
  'POST /api/v1/orgs/{org}/members': transaction('member.add'),
  'PATCH /api/v1/orgs/{org}/members/{username}': transaction('member.update'),
  'DELETE /api/v1/orgs/{org}/members/{username}': transaction('member.remove'),
  'POST /api/v1/orgs/{org}/teams': transaction('team.create'),
  'PATCH /api/v1/orgs/{org}/teams/{team}': transaction('team.update'),
  'DELETE /api/v1/orgs/{org}/teams/{team}': transaction('team.delete'),
  'POST /api/v1/orgs/{org}/teams/{team}/members': transaction('team.member.add'),
  'PATCH /api/v1/orgs/{org}/teams/{team}/members/{username}': transaction('team.member.update'),
  'DELETE /api/v1/orgs/{org}/teams/{team}/members/{username}': transaction('team.member.remove'),
  'POST /api/v1/orgs/{org}/robots': transaction('robot.create'),
  'PATCH /api/v1/orgs/{org}/robots/{robot}': transaction('robot.update'),
  'DELETE /api/v1/orgs/{org}/robots/{robot}': transaction('robot.delete'),
  'POST /api/v1/orgs/{org}/robots/{robot}/keys': transaction('key.create'),
  'DELETE /api/v1/orgs/{org}/robots/{robot}/keys/{id}': transaction('key.revoke'),

  'PUT /api/v1/repos/{namespace}/{name}': transaction('repo.create'),
  'PATCH /api/v1/repos/{namespace}/{name}': transaction('repo.update'),
  'DELETE /api/v1/repos/{namespace}/{name}': transaction('repo.delete'),
  'POST /api/v1/repos/{namespace}/{name}/rename': transaction('repo.rename'),
  'DELETE /api/v1/repos/{namespace}/{name}/aliases': transaction('repo.alias.release'),
  'PUT /api/v1/repos/{namespace}/{name}/permissions': transaction('permissions.update'),
  'DELETE /api/v1/repos/{namespace}/{name}/manifests/{digest}': transaction('manifest.delete'),
  'DELETE /api/v1/repos/{namespace}/{name}/tags/{tag}': transaction('tag.delete'),

  // The entries of what it deletes have the names of the routes that delete one.
  'POST /api/v1/deletions': transaction('content.delete'),

  // Its beginning may also find the blob held, or mount it. Its end is an entry of the transaction that makes the blob.
  'POST /api/v1/repos/{namespace}/{name}/blobs/uploads': request('upload.open'),
  'POST /api/v1/repos/{namespace}/{name}/blobs/uploads/{id}/parts': transaction('blob.push'),
  'POST /api/v1/repos/{namespace}/{name}/blobs/uploads/{id}/complete': transaction('blob.push'),
  'DELETE /api/v1/repos/{namespace}/{name}/blobs/uploads/{id}': request('upload.cancel'),

  'POST /api/v1/admin/fsck': request('fsck.start'),
  'DELETE /api/v1/admin/fsck': request('fsck.cancel'),

  'DELETE /api/v1/admin/jobs/{id}': request('job.cancel'),

  // Reads that say who was curious.
  'GET /api/v1/audit': request('audit.read'),
  'GET /api/v1/orgs/{org}/audit': request('audit.read'),
};

/** A key of the table, from a path as OpenAPI or as Express writes it, in either spelling of a repository's name. */
export function routeKey(method: string, path: string): string {
  const segments = path.split('/').map((segment) => segment.replace(/^[:*](\w+)$/, '{$1}'));
  return `${method === 'HEAD' ? 'GET' : method} ${segments.filter((segment) => segment !== '-').join('/')}`;
}

import { ORG, WRITTEN_GRANTS } from './callers.js';
import { randomBytes } from 'node:crypto';
import { digestOf } from '../../support/content.js';
import type { Place } from './cast.js';
import { type RouteRows, type RowContext, to } from './row.js';

const repo = ({ name }: Pick<Place, 'name'>): string => `/api/v1/repos/${ORG}/${name}`;

/** Credentials are enough for the rule of a list that is for who manages the namespace. */
const NOT_MANAGERS = {
  stranger: 'denied',
  reader: 'denied',
  writer: 'denied',
  keeper: 'denied',
  member: 'denied',
  teamMember: 'denied',
  maintainer: 'denied',
  pullKey: 'denied',
  robot: 'denied',
} as const;

const NO_ID = '6b8c0d5e-0d5a-4b5c-9a53-0c1b2b7c1c58';

/** Where the store takes none (a file system), and for who may not, it is one that nobody has. */
async function directUpload(place: Place, { cast, caller, isAllowed }: RowContext): Promise<string> {
  const uploads = `${repo(place)}/blobs/uploads`;
  if (!isAllowed) return `${uploads}/${NO_ID}`;
  const json = { digest: digestOf(randomBytes(16)), size: 16 };
  const reply = await cast.call(caller, 'POST', uploads, { json });
  return reply.status === 201 ? reply.need('location') : `${uploads}/${NO_ID}`;
}

/** Repositories in the management API. */
export const REPOSITORY_ROWS: RouteRows = {
  'RepoListsController.list': { success: 200, request: () => to('/api/v1/repos') },
  'RepoListsController.listOfNamespace': { success: 200, request: () => to(`/api/v1/repos/${ORG}`) },
  'ReposController.read': { success: 200, request: (p) => to(repo(p)) },
  'ReposController.put': {
    success: 200,
    changes: true,
    // The rule is that of a push, which makes a repository; one that is there is for who manages it.
    except: { writer: 'denied', teamMember: 'denied', maintainer: 'denied', robot: 'denied' },
    request: (p) => to(repo(p), { json: { visibility: 'private', description: 'replaced' } }),
  },
  'ReposController.update': { success: 200, request: (p) => to(repo(p), { json: { description: 'matrix' } }) },
  'ReposController.remove': { success: 204, changes: true, request: (p) => to(repo(p)) },
  // Any credential may ask; what becomes of each item is decided as on the routes that delete one (deletions.spec.ts).
  'DeletionsController.delete': {
    success: 200,
    request: () => to('/api/v1/deletions', { json: { items: [{ repository: `${ORG}/matrix-nothing` }] } }),
  },
  'RepoMovesController.rename': {
    success: 200,
    changes: true,
    // May manage this repository, and make none in the namespace.
    except: { keeper: 'denied' },
    request: (p, { cast }) => to(`${repo(p)}/rename`, { json: { name: cast.unique('renamed') } }),
  },
  'RepoMovesController.list': { success: 200, request: (p) => to(`${repo(p)}/aliases`) },
  'RepoMovesController.release': {
    success: 204,
    changes: true,
    request: async (p, { cast }) => {
      const name = cast.unique('moved');
      await cast.must('orgOwner', 'POST', `${repo(p)}/rename`, { json: { name } });
      return to(`${repo({ name })}/aliases?path=${encodeURIComponent(p.repository)}`);
    },
  },
  'FormerPathsController.list': {
    success: 200,
    except: NOT_MANAGERS,
    request: () => to(`/api/v1/namespaces/${ORG}/aliases`),
  },
  'UnfinishedRepositoriesController.list': {
    success: 200,
    except: NOT_MANAGERS,
    request: () => to(`/api/v1/namespaces/${ORG}/unfinished`),
  },
  'PermissionsController.read': { success: 200, request: (p) => to(`${repo(p)}/permissions`) },
  'PermissionsController.replace': {
    success: 200,
    request: (p) => to(`${repo(p)}/permissions`, { json: { grants: WRITTEN_GRANTS } }),
  },
  'PermissionsController.explain': {
    success: 200,
    request: (p) => to(`${repo(p)}/permissions/effective`),
  },
  'RepositoryManifestsController.list': { success: 200, request: (p) => to(`${repo(p)}/manifests`) },
  'RepositoryManifestsController.read': {
    success: 200,
    request: (p) => to(`${repo(p)}/manifests/${p.manifest.digest}`),
  },
  'RepositoryManifestsController.remove': {
    success: 204,
    changes: true,
    request: (p) => to(`${repo(p)}/manifests/${p.manifest.digest}`),
  },
  'DirectUploadsController.start': {
    success: [201, 409],
    request: (p) => to(`${repo(p)}/blobs/uploads`, { json: { digest: digestOf(randomBytes(16)), size: 16 } }),
  },
  // One PUT has no parts, and nothing has been put; on a file system there is no such upload.
  'DirectUploadsController.signParts': {
    success: [409, 404],
    request: async (p, context) => {
      const part = { number: 1, sha256: '0'.repeat(64), size: 16 };
      return to(`${await directUpload(p, context)}/parts`, { json: { parts: [part] } });
    },
  },
  'DirectUploadsController.complete': {
    success: [409, 404],
    request: async (p, context) => to(`${await directUpload(p, context)}/complete`),
  },
  'DirectUploadsController.read': {
    success: [200, 404],
    request: async (p, context) => to(await directUpload(p, context)),
  },
  'DirectUploadsController.cancel': {
    success: [204, 404],
    request: async (p, context) => to(await directUpload(p, context)),
  },
  'RepositoryTagsController.list': { success: 200, request: (p) => to(`${repo(p)}/tags`) },
  'RepositoryTagsController.read': { success: 200, request: (p) => to(`${repo(p)}/tags/${p.tag}`) },
  'RepositoryTagsController.history': { success: 200, request: (p) => to(`${repo(p)}/tags/${p.tag}/history`) },
  'RepositoryTagsController.remove': { success: 204, changes: true, request: (p) => to(`${repo(p)}/tags/${p.tag}`) },
};

import { ORG, WRITTEN_GRANTS } from './callers.js';
import type { Place } from './cast.js';
import { type RouteRows, to } from './row.js';

const repo = ({ name }: Pick<Place, 'name'>): string => `/api/v1/repos/${ORG}/${name}`;

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
    // Credentials are enough for the rule; the route is for who manages the namespace.
    except: {
      stranger: 'denied',
      reader: 'denied',
      writer: 'denied',
      keeper: 'denied',
      member: 'denied',
      teamMember: 'denied',
      maintainer: 'denied',
      pullKey: 'denied',
      robot: 'denied',
    },
    request: () => to(`/api/v1/namespaces/${ORG}/aliases`),
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
  'RepositoryTagsController.list': { success: 200, request: (p) => to(`${repo(p)}/tags`) },
  'RepositoryTagsController.read': { success: 200, request: (p) => to(`${repo(p)}/tags/${p.tag}`) },
  'RepositoryTagsController.history': { success: 200, request: (p) => to(`${repo(p)}/tags/${p.tag}/history`) },
  'RepositoryTagsController.remove': { success: 204, changes: true, request: (p) => to(`${repo(p)}/tags/${p.tag}`) },
};

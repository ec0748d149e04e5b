import { randomBytes } from 'node:crypto';
import { digestOf, IMAGE_MANIFEST } from '../../support/content.js';
import { type RouteRows, to } from './row.js';

const OCTETS = { 'content-type': 'application/octet-stream' };
const MANIFEST = { 'content-type': IMAGE_MANIFEST };

/** Routes below /v2. */
export const REGISTRY_ROWS: RouteRows = {
  'BaseController.check': { success: 200, request: () => to('/v2/') },
  'CatalogController.list': { success: 200, request: () => to('/v2/_catalog') },
  'ManifestsController.head': { success: 200, request: (p) => to(`/v2/${p.repository}/manifests/${p.tag}`) },
  'ManifestsController.get': { success: 200, request: (p) => to(`/v2/${p.repository}/manifests/${p.manifest.digest}`) },
  'ManifestsController.put': {
    success: 201,
    request: (p) => to(`/v2/${p.repository}/manifests/again`, { body: p.manifest.bytes, headers: MANIFEST }),
  },
  'ManifestsController.delete': {
    success: 202,
    changes: true,
    request: (p) => to(`/v2/${p.repository}/manifests/${p.tag}`),
  },
  'BlobsController.head': { success: 200, request: (p) => to(`/v2/${p.repository}/blobs/${p.layer}`) },
  'BlobsController.get': { success: [200, 307], request: (p) => to(`/v2/${p.repository}/blobs/${p.layer}`) },
  'BlobsController.remove': {
    success: 202,
    changes: true,
    request: (p) => to(`/v2/${p.repository}/blobs/${p.spare}`),
  },
  'UploadsController.start': { success: 202, request: (p) => to(`/v2/${p.repository}/blobs/uploads/`) },
  'UploadsController.status': { success: 204, upload: true, request: (_, { location }) => to(location) },
  'UploadsController.append': {
    success: 202,
    upload: true,
    request: (_, { location }) => to(location, { body: randomBytes(16), headers: OCTETS }),
  },
  'UploadsController.close': {
    success: 201,
    upload: true,
    request: (_, { location }) => {
      const bytes = randomBytes(16);
      return to(`${location}?digest=${digestOf(bytes)}`, { body: bytes, headers: OCTETS });
    },
  },
  'UploadsController.cancel': { success: 204, upload: true, request: (_, { location }) => to(location) },
  'TagsController.list': { success: 200, request: (p) => to(`/v2/${p.repository}/tags/list`) },
  'ReferrersController.list': {
    success: 200,
    request: (p) => to(`/v2/${p.repository}/referrers/${p.manifest.digest}`),
  },
};

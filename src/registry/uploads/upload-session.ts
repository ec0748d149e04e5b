import { OciError } from '../../oci/oci-error.js';
import { uploadRange } from '../../oci/content-range.js';
import type { RepositoryName } from '../../oci/repository-name.js';
import type { Authorization } from '../../http/guards/request-authorization.js';
import type { Actor } from '../../access/actor.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import type { Share } from '../../fairness/share.js';
import type { RequestBody } from './request-body.js';
import type { UploadKey } from './uploads.repository.js';

/** One upload as a request names it. */
export interface UploadSession {
  readonly id: string;
  readonly repository: RepositoryFact;
  /** The principal owns the upload, the credential is for the record. */
  readonly uploader: Omit<Actor, 'address'>;
  readonly authorization: Authorization;
}

/** A body on its way in. */
export interface IncomingBody {
  readonly body: RequestBody;
  /** The header as it came. */
  readonly contentRange: string | undefined;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
  readonly share: Share;
}

/** Where an upload is: what the client needs to go on. */
export interface UploadPosition {
  readonly name: RepositoryName;
  readonly id: string;
  /** Bytes acknowledged. */
  readonly received: number;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Throws `uploadUnknown` for an id that is none. */
export function keyOf({ id, repository, uploader }: UploadSession): UploadKey {
  if (!UUID.test(id)) throw new OciError('uploadUnknown');
  return { id, repoId: repository.id, principal: uploader.principal };
}

/** Relative, so that it is right behind every proxy, and without a query, which some clients mangle. */
export function uploadLocation(name: RepositoryName, id: string): string {
  return `/v2/${name}/blobs/uploads/${id}`;
}

export function positionHeaders({ name, id, received }: UploadPosition): Record<string, string> {
  return { Location: uploadLocation(name, id), Range: uploadRange(received), 'Docker-Upload-UUID': id };
}

/** 416, with where to go on. */
export function outOfOrder(position: UploadPosition): OciError {
  return new OciError('chunkOutOfOrder', { offset: position.received }, { headers: positionHeaders(position) });
}

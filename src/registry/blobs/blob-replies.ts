import type { Response } from 'express';
import { type ByteRange, contentRange, rangeLength, uploadRange } from '../../oci/content-range.js';
import type { Digest } from '../../oci/digest.js';
import { etagOf } from '../../oci/etag.js';
import type { RepositoryName } from '../../oci/repository-name.js';
import { type FlatHeaders, reply, replyEmpty, replyHead } from '../v2/replies.js';
import type { MultipartBody } from './ranges/multipart-ranges.js';
import { uploadLocation, type UploadPosition } from '../uploads/upload-session.js';

function positionOf({ name, id, received }: UploadPosition): FlatHeaders {
  return ['Location', uploadLocation(name, id), 'Range', uploadRange(received), 'Docker-Upload-UUID', id];
}

/** end-4a, end-5: the upload goes on there. */
export function uploadAccepted(response: Response, position: UploadPosition): void {
  replyEmpty(response, 202, positionOf(position));
}

export function uploadStatus(response: Response, position: UploadPosition): void {
  reply(response, 204, positionOf(position));
}

export function uploadCancelled(response: Response): void {
  reply(response, 204, []);
}

/** end-4b, end-6, end-11: the repository holds the blob. */
export function blobCreated(response: Response, name: RepositoryName, digest: Digest): void {
  replyEmpty(response, 201, ['Location', `/v2/${name}/blobs/${digest}`, 'Docker-Content-Digest', digest]);
}

export function blobDeleted(response: Response): void {
  replyEmpty(response, 202);
}

/** What HEAD and every kind of GET say of a blob. Bytes never change, so they may be cached. */
export function blobHeaders(digest: Digest): FlatHeaders {
  return ['Docker-Content-Digest', digest, 'ETag', etagOf(digest), 'Accept-Ranges', 'bytes'];
}

const OCTETS: FlatHeaders = ['Content-Type', 'application/octet-stream'];

/** Status and headers of a blob whose bytes follow, or would. */
export function blobHead(response: Response, digest: Digest, size: number, range: ByteRange | null): void {
  const length = range ? rangeLength(range) : size;
  const headers = [...blobHeaders(digest), ...OCTETS, 'Content-Length', String(length)];
  if (range) headers.push('Content-Range', contentRange(range, size));
  replyHead(response, range ? 206 : 200, headers);
}

/** Status and headers of several ranges of a blob, whose body follows. */
export function blobParts(response: Response, digest: Digest, { contentType, length }: MultipartBody): void {
  const headers = [...blobHeaders(digest), 'Content-Type', contentType, 'Content-Length', String(length)];
  replyHead(response, 206, headers);
}

export function blobNotModified(response: Response, digest: Digest): void {
  reply(response, 304, blobHeaders(digest));
}

/** The URL is a credential that expires: the answer must not be cached. */
export function blobElsewhere(response: Response, digest: Digest, url: URL): void {
  const headers = ['Location', url.href, 'Cache-Control', 'no-store', ...blobHeaders(digest)];
  replyEmpty(response, 307, headers);
}

/**
 * The name of an object, or the stem of all names that one upload may use. Opaque: it says nothing of content, tenant
 * or repository, so a key in a log or a presigned URL gives nothing away.
 */
export type ObjectKey = string & { readonly __brand: 'ObjectKey' };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
// No dot but before the suffix and no slash but the one, so that a key cannot climb out of a directory.
const KEY = /^[0-9a-f]{2}\/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?:\.[0-9]{1,10}[a-z]?)?$/;

/** Says whose a store is; no upload's name. */
export const OWNER_NAME = 'aerugo-installation';
/** Written and removed to see whether the store takes writes. One name for all nodes, so that no crash leaves many. */
export const WRITE_CHECK_NAME = 'aerugo-write-check';

/** The stem of an upload's keys. The folder is taken from the end of the id: a version 7 id starts with the time. */
export function objectKeyOf(uploadId: string): ObjectKey {
  if (!UUID.test(uploadId)) throw new TypeError('an upload id is a UUID in lower case');
  return `${uploadId.slice(-2)}/${uploadId}` as ObjectKey;
}

/** Throws `TypeError` for text that this module has not made: every key from a row passes here. */
export function parseObjectKey(text: string): ObjectKey {
  if (!KEY.test(text)) throw new TypeError(`not an object key: ${JSON.stringify(text.slice(0, 80))}`);
  return text as ObjectKey;
}

/** Whether a name found in a store is one that an upload wrote to; everything else there is foreign. */
export function isObjectName(name: string): name is ObjectKey {
  return KEY.test(name) && name.includes('.') && name.slice(0, 2) === uploadIdOf(name as ObjectKey).slice(-2);
}

/** The upload that writes, or wrote, under this name. */
export function uploadIdOf(key: ObjectKey): string {
  const [stem = ''] = key.split('.');
  return stem.slice(3);
}

/**
 * What a name stands for: one request's bytes, a multipart upload's object, the whole made of segments, a half whole, the
 * list of the segments of a whole that is not made yet.
 */
export type KeyRole = 'bytes' | 'multipart' | 'whole' | 'unfinished' | 'list';

const SUFFIX = { bytes: '', multipart: 'm', whole: 'w', unfinished: 'u', list: 'l' } as const satisfies Record<
  KeyRole,
  string
>;

/** Each epoch writes under names of its own: two writers never touch one object. */
export function epochKey(stem: ObjectKey, epoch: number, role: KeyRole = 'bytes'): ObjectKey {
  return `${stem}.${String(epoch)}${SUFFIX[role]}` as ObjectKey;
}

/** Whether the object of this key may be several files. */
export function isSplitName(key: ObjectKey): boolean {
  return key.endsWith(SUFFIX.whole);
}

/** Where the list of such an object's files is. */
export function listKeyOf(whole: ObjectKey): ObjectKey {
  return `${whole.slice(0, -1)}${SUFFIX.list}` as ObjectKey;
}

/** The object whose list this name is; `null` for every other name. */
export function wholeKeyOfList(key: ObjectKey): ObjectKey | null {
  return key.endsWith(SUFFIX.list) ? (`${key.slice(0, -1)}${SUFFIX.whole}` as ObjectKey) : null;
}

/** The epoch that a name was written in. */
export function epochOf(key: ObjectKey): number {
  return Number.parseInt(key.split('.')[1] ?? '0', 10);
}

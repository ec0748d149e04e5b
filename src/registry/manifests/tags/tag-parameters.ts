import { OciError } from '../../../oci/oci-error.js';
import { parseTag, type Tag } from '../../../oci/reference.js';

/** The specification asks for 10; a push of a release rarely has more than 5. */
const MAX_TAGS = 100;

/** `?tag=` of a push, each once (end-7b). Throws `tagInvalid`, or `tooManyTags` (414). */
export function readTags(parameter: unknown): Tag[] {
  const texts = parameter === undefined ? [] : [parameter].flat();
  if (texts.length > MAX_TAGS) throw new OciError('tooManyTags', { limit: MAX_TAGS });
  return [...new Set(texts.map((text) => parseTag(typeof text === 'string' ? text : '')))];
}

import { quoted } from './www-authenticate.js';

/** "A registry MUST NOT send more than 4096 bytes of warning data from all headers combined" ("Warnings"). */
export const MAX_WARNING_BYTES = 4096;

/** The values of the `Warning` headers, code 299, no agent and no date; those that do not fit any more are left out. */
export function warningHeaders(texts: readonly string[]): string[] {
  let left = MAX_WARNING_BYTES;
  return texts
    .map((text) => `299 - ${quoted(text)}`)
    .filter((value) => {
      const fits = value.length <= left;
      if (fits) left -= value.length;
      return fits;
    });
}

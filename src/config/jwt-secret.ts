const MINIMUM_BYTES = 32;
const MINIMUM_DIFFERENT_CHARACTERS = 8;
/** Parts of the examples in documents, so of every secret that was copied instead of made. */
const WELL_KNOWN = [
  'your-super-secret',
  'super-secret-jwt',
  'output-of-openssl',
  'change-me',
  'changeme',
  'change-in-production',
  'replace-me',
  // Of an example of the chart of 0.1.
  '8f2f4f7f0e0b4f3d9f6e5a7c1b2d3e4f',
];

/** Why tokens signed with this key could be forged, or `null`. */
export function secretProblem(secret: string | null): string | null {
  if (secret === null || Buffer.byteLength(secret) < MINIMUM_BYTES) return `must have ${MINIMUM_BYTES} bytes or more`;
  const lower = secret.toLowerCase();
  const isGuessable = new Set(lower).size < MINIMUM_DIFFERENT_CHARACTERS;
  return isGuessable || WELL_KNOWN.some((part) => lower.includes(part)) ? 'is a well-known example' : null;
}

// What several descriptions of fields have in common.

export const DIGEST_EXAMPLE = 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
export const TIME_EXAMPLE = '2026-01-02T03:04:05.000Z';

export const NULLABLE = { type: String, nullable: true } as const;

export const NAME_OF_ACCOUNT = {
  example: 'alice',
  description: 'Null for a deleted account, and for callers without a role in the repository.',
};

export const NEXT_PAGE = {
  ...NULLABLE,
  example: null,
  description: '`cursor` of the next page.',
};

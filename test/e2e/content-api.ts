import { expect } from '@jest/globals';
import type { Reply } from '../support/http-exchange.js';

/** A page of any list of the management API. */
export interface List<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

export const TIME: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

/** The management API's paths of a repository, both spellings. */
export function spellings(repository: string, rest = ''): [encoded: string, spread: string] {
  const [namespace = '', ...name] = repository.split('/');
  return [
    `/api/v1/repos/${namespace}/${encodeURIComponent(name.join('/'))}${rest}`,
    `/api/v1/repos/${repository}/-${rest}`,
  ];
}

export function pathOf(repository: string, rest = ''): string {
  return spellings(repository, rest)[0];
}

export function expectProblem(reply: Reply, code: string): Record<string, unknown> {
  expect(reply.header('content-type')).toBe('application/problem+json');
  expect(reply.json()).toMatchObject({ code, status: reply.status });
  return reply.json();
}

import { describe, expect, it } from '@jest/globals';
import { firstSpanIdOf, traceIdOf, traceNameOf } from './trace-names.js';

const ID = '490307aa-eb2c-4d81-90eb-aba349e14839';
const OTHER_ID = '07f98872-c98e-4e98-8c4d-012b4a463ed4';
const UPLOADS = '/v2/acme/app/blobs/uploads/';
const UPLOAD = `${UPLOADS}${OTHER_ID}`;

function bearer(claims: unknown): string {
  return `Bearer e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
}

const scope = (...actions: string[]) => [{ type: 'repository', name: 'acme/app', actions }];
const PUSH = bearer({ jti: ID, access: scope('pull', 'push') });
const PULL = bearer({ jti: ID, access: scope('pull') });

describe('the name of a trace', () => {
  it.each([
    ['PUT', '/v2/acme/app/manifests/v1', PUSH],
    ['POST', UPLOADS, PUSH],
    ['PATCH', UPLOAD, PUSH],
  ])('is the id of the token that may push: %s %s', (method, path, authorization) => {
    expect(traceNameOf(method, path, { authorization })).toEqual({ kind: 'joins', id: ID });
  });

  it.each([
    ['PATCH', PULL],
    ['PUT', 'Basic YTpi'],
    ['GET', undefined],
    ['DELETE', bearer({ jti: ID })],
    ['PATCH', bearer(null)],
    ['PATCH', bearer({ jti: 'made-up', access: 7 })],
    ['PATCH', 'Bearer e30.!.c2ln'],
    ['PATCH', 'Bearer e30.bm8.c2ln'],
  ])('is otherwise the id of the upload: %s with %s', (method, authorization) => {
    const headers = authorization === undefined ? {} : { authorization };
    expect(traceNameOf(method, UPLOAD, headers)).toEqual({ kind: 'joins', id: OTHER_ID });
  });

  it.each([
    ['POST', UPLOADS, PULL],
    ['POST', '/v2/acme/app/blobs/uploads', undefined],
    ['GET', '/api/v1/auth/token', 'Basic YTpi'],
    ['POST', '/api/v1/auth/token', undefined],
  ])('is given by what begins something: %s %s', (method, path, authorization) => {
    expect(traceNameOf(method, path, authorization === undefined ? {} : { authorization })).toEqual({ kind: 'begins' });
  });

  it.each([
    ['GET', '/v2/', undefined],
    ['GET', '/v2/acme/app/manifests/v1', PULL],
    ['GET', '/api/v1/repos', PUSH],
    ['PATCH', `${UPLOADS}no-id`, undefined],
    ['PATCH', UPLOAD.toUpperCase(), undefined],
    ['PUT', '/v2/acme/app/manifests/v1', bearer({ jti: `${ID}0`, access: scope('push') })],
  ])('is nobody’s: %s %s', (method, path, authorization) => {
    expect(traceNameOf(method, path, authorization === undefined ? {} : { authorization })).toBeNull();
  });

  it('gives the ids of the trace and of its first span', () => {
    expect(traceIdOf(ID)).toBe('490307aaeb2c4d8190ebaba349e14839');
    expect(firstSpanIdOf(ID)).toBe('90ebaba349e14839');
  });
});

import { describe, expect, it } from '@jest/globals';
import { toOriginForm } from './request-target.js';

describe('the target of a request', () => {
  it.each([
    ['/v2/', 'here', '/v2/', 'here'],
    ['//there/v2/', 'here', '//there/v2/', 'here'],
    ['http://there/api/v1/audit?limit=1', 'here', '/api/v1/audit?limit=1', 'there'],
    ['HTTPS://there:8443/v2/', 'here', '/v2/', 'there:8443'],
    ['http://user:secret@there/v2/', 'here', '/v2/', 'there'],
    ['http://there', 'here', '/', 'there'],
    ['http://there?x=1', 'here', '/?x=1', 'there'],
    ['repo://alice/app', 'here', '/app', 'alice'],
    ['http://there/v2/', undefined, '/v2/', undefined],
    ['*', 'here', '*', 'here'],
  ])('%s of %s is %s of %s', (url, host, path, authority) => {
    const request = { url, headers: host === undefined ? {} : { host } };
    toOriginForm(request);
    expect([request.url, request.headers.host]).toEqual([path, authority]);
  });
});

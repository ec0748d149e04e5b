import { describe, expect, it } from '@jest/globals';
import { methodsInstead } from './v2-routes.js';

describe('methods of the /v2 paths', () => {
  it.each([
    ['GET', '/v2/'],
    ['GET', '/v2'],
    ['GET', '/v2/_catalog'],
    ['HEAD', '/v2/acme/app/manifests/latest'],
    ['PUT', '/v2/acme/app/manifests/latest'],
    ['DELETE', '/v2/acme/app/manifests/latest'],
    ['POST', '/v2/acme/app/blobs/uploads/'],
    ['POST', '/v2/acme/app/blobs/uploads'],
    ['PATCH', '/v2/acme/app/blobs/uploads/5f2c'],
    ['DELETE', '/v2/acme/app/blobs/sha256:00'],
    ['GET', '/v2/acme/app/tags/list'],
    ['GET', '/v2/acme/app/referrers/sha256:00'],
    // A repository may be called like a route; what comes last decides.
    ['POST', '/v2/acme/manifests/latest/blobs/uploads/'],
    ['DELETE', '/v2/acme/tags/list/manifests/latest'],
  ])('%s %s is known', (method, path) => {
    expect(methodsInstead(method, path)).toBeNull();
  });

  it.each([
    ['POST', '/v2/', ['HEAD', 'GET']],
    ['DELETE', '/v2/_catalog', ['HEAD', 'GET']],
    ['DELETE', '/v2/_catalog?n=1', ['HEAD', 'GET']],
    ['PATCH', '/v2/acme/app/manifests/latest', ['HEAD', 'GET', 'PUT', 'DELETE']],
    ['GET', '/v2/acme/app/blobs/uploads/', ['POST']],
    ['POST', '/v2/acme/app/blobs/uploads/5f2c', ['HEAD', 'GET', 'PATCH', 'PUT', 'DELETE']],
    ['PUT', '/v2/acme/app/blobs/sha256:00', ['HEAD', 'GET', 'DELETE']],
    ['POST', '/v2/acme/app/tags/list', ['HEAD', 'GET']],
    ['PUT', '/v2/acme/app/referrers/sha256:00', ['HEAD', 'GET']],
  ])('%s %s is refused, and the answer says what would do', (method, path, instead) => {
    expect(methodsInstead(method, path)).toEqual(instead);
  });

  it('leaves paths that nobody knows to the router', () => {
    expect(methodsInstead('DELETE', '/v2/acme/app/elsewhere')).toBeNull();
  });
});

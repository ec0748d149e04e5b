import { describe, expect } from '@jest/globals';
import { digestOf } from '../support/content.js';
import { someBytes } from './documents.js';
import { must, ours, should } from './requirement.js';
import { useWorld } from './world.js';

const world = useWorld();

const VALID = [
  'alice/app',
  'alice/team/app/deep/er',
  'alice/a.b',
  'alice/a_b',
  'alice/a__b',
  'alice/a-b',
  'alice/a---b',
  'alice/0',
  'alice/blobs',
  'alice/manifests/tags',
  'alice/uploads/list',
];

const INVALID = [
  ['upper case', 'alice/App'],
  ['a leading separator', 'alice/-app'],
  ['a trailing separator', 'alice/app.'],
  ['two dots', 'alice/a..b'],
  ['three underscores', 'alice/a___b'],
  ['mixed separators', 'alice/a._b'],
  ['a dot segment', 'alice/../bob'],
  ['an encoded dot segment', 'alice/%2e%2e/bob'],
  ['a NUL', 'alice/a%00b'],
  ['a space', 'alice/a%20b'],
  ['a letter outside ASCII', 'alice/%C3%A4pp'],
  ['an empty component', 'alice//app'],
  ['300 characters', `alice/${'a'.repeat(294)}`],
  ['bytes that are not UTF-8', 'alice/%ff'],
  ['a broken escape', 'alice/%zz'],
] as const;

describe('Pulling manifests: <name>', () => {
  for (const name of VALID) {
    must(`accepts the name ${name}`, async () => {
      const digest = await world.alice.pushBlob(name, someBytes(32));
      await world.alice.headBlob(name, digest).expect(200);
    });
  }

  for (const [what, name] of INVALID) {
    must(`refuses a name with ${what} on every kind of request`, async () => {
      const authorization = `Bearer ${await world.alice.token()}`;
      const digest = digestOf('nothing');
      const requests = [
        ['GET', `/v2/${name}/manifests/v1`],
        ['GET', `/v2/${name}/blobs/${digest}`],
        ['GET', `/v2/${name}/tags/list`],
        ['GET', `/v2/${name}/referrers/${digest}`],
        ['POST', `/v2/${name}/blobs/uploads/`],
      ] as const;
      for (const [method, path] of requests) {
        const reply = await world.alice.raw(method, path, { headers: { authorization } }).expect(400);
        expect(['NAME_INVALID', 'UNSUPPORTED']).toContain(reply.codes[0]);
      }
    });
  }

  ours('decodes %2F in a name before it judges the name', async () => {
    const digest = await world.alice.pushBlob('alice/team/app', someBytes(32));
    const authorization = `Bearer ${await world.alice.token('repository:alice/team/app:pull')}`;
    for (const path of [`/v2/alice%2Fteam%2Fapp/blobs/${digest}`, `/v2/alice/team%2fapp/blobs/${digest}`]) {
      await world.alice.raw('HEAD', path, { headers: { authorization } }).expect(200);
    }
  });

  ours('tells the pusher of a name in upper case what to do', async () => {
    const reply = await world.alice
      .request('POST', '/v2/alice/App/blobs/uploads/')
      .expect(400, { code: 'NAME_INVALID' });
    expect(reply.text).toContain('use lower case');
  });

  ours('tells the pusher of a one-component name what to do', async () => {
    const reply = await world.alice.request('POST', '/v2/app/blobs/uploads/').expect(400, { code: 'NAME_INVALID' });
    expect(reply.text).toContain('two or more components');
  });

  should('keeps host and name together within 255 characters', async () => {
    const authorization = `Bearer ${await world.alice.token()}`;
    const tooLong = `alice/${'a'.repeat(250)}`;
    await world.alice
      .raw('POST', `/v2/${tooLong}/blobs/uploads/`, { headers: { authorization } })
      .expect(400, { code: 'NAME_INVALID' });
    await world.alice.pushBlob(`alice/${'a'.repeat(200)}`, someBytes(16));
  });
});

import { describe, expect, it } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import type { Request, Response } from 'express';
import type { Principal } from '../access/principal.js';
import type { RepositoryName } from '../oci/repository-name.js';
import { RequestContext } from './request-context.js';

type Closable = Response & EventEmitter;

function response(writableFinished: boolean): Closable {
  return Object.assign(new EventEmitter(), { closed: false, writableFinished }) as unknown as Closable;
}

const PROXY = '192.0.2.1';

function contextOf(answer: Response, headers: Record<string, string> = {}, remoteAddress = PROXY): RequestContext {
  const request = { headers, socket: { remoteAddress } } as unknown as Request;
  return new RequestContext(request, answer, (peer) => peer === PROXY);
}

describe('RequestContext', () => {
  it('keeps the id of a trusted proxy that looks like one, beside its own', () => {
    const context = contextOf(response(true), { 'x-request-id': 'from-the-proxy' });
    expect(context.proxyId).toBe('from-the-proxy');
    expect(context.id).toMatch(/^[a-z0-9]{6}-[a-z0-9]+$/);
    for (const id of ['<script>', 'short', 'x'.repeat(65)])
      expect(contextOf(response(true), { 'x-request-id': id }).proxyId).toBeNull();
  });

  it('keeps the id of nobody else', () => {
    const [one, two] = ['198.51.100.7', '198.51.100.8'].map((peer) =>
      contextOf(response(true), { 'x-request-id': 'chosen-by-a-stranger' }, peer),
    );
    expect([one?.proxyId, two?.proxyId]).toEqual([null, null]);
    expect(one?.id).not.toBe(two?.id);
  });

  it.each([
    ['aborts when the client leaves', false, true],
    ['does not when the answer was sent', true, false],
  ])('%s', (_, isSent, isAborted) => {
    const answer = response(isSent);
    const { signal } = contextOf(answer);
    expect(signal.aborted).toBe(false);
    answer.emit('close');
    expect(signal.aborted).toBe(isAborted);
  });

  it('is aborted for whoever asks after the client has left', () => {
    const answer = response(false);
    const context = contextOf(answer);
    Object.assign(answer, { closed: true });
    expect(context.signal.aborted).toBe(true);
    expect(context.signal).toBe(context.signal);
  });

  it('has a share: the namespace of the path, or the caller’s own, and the principal, or the network', () => {
    const of = (params: object): RequestContext =>
      contextOf(Object.assign(response(true), { req: { ip: '203.0.113.7', params } as unknown as Request }));
    const user = { kind: 'user', id: 7, username: 'alice', admin: false, namespaceId: 1, memberships: [], teams: [] };
    const known = of({});
    expect(known.share).toEqual({ namespace: 'of 203.0.113.7', principal: '203.0.113.7' });
    known.principal = user as unknown as Principal;
    expect(known.share).toEqual({ namespace: 'of user:7', principal: 'user:7' });
    known.target = { name: 'acme/team/app' as RepositoryName, repository: null };
    expect(known.share).toEqual({ namespace: 'acme', principal: 'user:7' });
    expect(of({ org: 'acme' }).share.namespace).toBe('acme');
  });

  it('is no dictionary, in whose getter V8 would keep the request until it collects old objects', () => {
    setFlagsFromString('--allow-natives-syntax');
    const isFast = runInThisContext('(object) => %HasFastProperties(object)') as (object: object) => boolean;
    const withGetter = (value: object): object => ({
      get value() {
        return value;
      },
    });
    const seen = [withGetter({}), withGetter({}), contextOf(response(true)), contextOf(response(true))].map(isFast);
    setFlagsFromString('--no-allow-natives-syntax');
    expect(seen.slice(2)).toEqual([true, true]);
    expect(seen[1]).toBe(false); // or this asks V8 something else than it thinks
  });
});

import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { contentServices, type ContentServices } from '../../test/support/content-services.js';
import { Node } from './node.entity.js';
import { type Announcement, NodesRepository } from './nodes.repository.js';

jest.setTimeout(60_000);

let services: ContentServices;
let nodes: NodesRepository;

const node = (level: number): Announcement => ({ id: randomUUID(), name: 'host', version: '0.2.0', level });
const announce = (one: Announcement) => services.unitOfWork.run((tx) => nodes.announce(tx, one));
const raise = (level: number) => services.unitOfWork.run((tx) => nodes.raise(tx, level));

beforeAll(async () => {
  services = await contentServices();
  nodes = new NodesRepository(services.dataSource.getRepository(Node));
});

beforeEach(async () => {
  await services.dataSource.query('DELETE FROM nodes');
  await services.dataSource.query('UPDATE upgrade_level SET level = 1');
});

describe('the level of the registry', () => {
  it('rises when every live node has a higher one', async () => {
    const [first, second] = [node(1), node(2)];
    await announce(first);
    await announce(second);
    expect(await raise(2)).toEqual({ level: 1, lowest: 1 });
    await nodes.leave(first.id);
    expect(await raise(2)).toEqual({ level: 2, lowest: 2 });
    expect(await nodes.beat(second)).toEqual({ level: 2, lowest: 2 });
    expect(await raise(1)).toEqual({ level: 2, lowest: 2 });
  });

  it('does not wait for a node that died', async () => {
    const [first, second] = [node(1), node(2)];
    await announce(first);
    await services.dataSource.query(`UPDATE nodes SET seen_at = now() - interval '61 s'`);
    await announce(second);
    expect((await nodes.live()).map(({ id }) => id)).toEqual([second.id]);
    expect(await raise(2)).toEqual({ level: 2, lowest: 2 });
    // It was not dead, and learns it with its next heartbeat.
    expect(await nodes.beat(first)).toMatchObject({ level: 2 });
  });

  it('does not rise beside a node that is just announcing itself', async () => {
    const starting = Promise.withResolvers<undefined>();
    const announced = Promise.withResolvers<undefined>();
    const start = services.unitOfWork.run(async (tx) => {
      const level = await nodes.announce(tx, node(1));
      announced.resolve(undefined);
      await starting.promise;
      return level;
    });
    await announced.promise;
    const raised = raise(2);
    starting.resolve(undefined);
    expect(await start).toBe(1);
    expect(await raised).toEqual({ level: 1, lowest: 1 });
  });

  it('is seen by a node that announces itself while it rises', async () => {
    const raising = Promise.withResolvers<undefined>();
    const raised = Promise.withResolvers<undefined>();
    const rise = services.unitOfWork.run(async (tx) => {
      await nodes.raise(tx, 2);
      raised.resolve(undefined);
      await raising.promise;
    });
    await raised.promise;
    const start = announce(node(1));
    raising.resolve(undefined);
    await rise;
    expect(await start).toBe(2);
  });

  it('has a row again of a node that was forgotten', async () => {
    const one = node(1);
    await nodes.beat(one);
    await nodes.beat(one);
    expect(await nodes.live()).toMatchObject([{ id: one.id, level: 1, startedAt: expect.any(Date) }]);
  });
});

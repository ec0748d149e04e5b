import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { keepingRepositories } from '../../../../test/support/namespace-contents.js';
import { orgServices, type OrgServices } from '../../../../test/support/org-services.js';
import type { CallingUser } from '../../../access/caller.js';
import type { OrgMembersService } from './org-members.service.js';
import type { OrgsService } from '../orgs.service.js';

let count = 0;
const outcome = ({ status }: PromiseSettledResult<unknown>): string => status;

describe('an organization that several change at once', () => {
  let services: OrgServices;
  let orgs: OrgsService;
  let members: OrgMembersService;
  let name: string;
  let ada: CallingUser;
  let ben: CallingUser;

  const owners = async (): Promise<number> => {
    const rows = await services.database.query(
      `SELECT FROM org_members m JOIN orgs o ON o.id = m.org_id JOIN namespaces n ON n.id = o.namespace_id
       WHERE n.name = $1 AND m.role = 'owner'`,
      [name],
    );
    return rows.length;
  };

  beforeAll(async () => {
    services = await orgServices();
    ({ orgs, members } = services);
  }, 60_000);

  beforeEach(async () => {
    name = `org-${++count}`;
    ada = await services.newUser(name);
    ben = await services.newUser(name);
    await services.unitOfWork.run((tx) => orgs.create(tx, { name }, ada));
    await services.makeOwner(name, ben, ada);
  });

  it.each([
    ['demote', (by: CallingUser, whom: CallingUser) => members.change(name, whom.user.username, 'member', by)],
    ['remove', (by: CallingUser, whom: CallingUser) => members.remove(name, whom.user.username, by)],
    ['leave', (by: CallingUser) => members.remove(name, by.user.username, by)],
  ])('keeps one of two owners who %s at once', async (_what, change) => {
    const outcomes = await Promise.allSettled([change(ada, ben), change(ben, ada)]);
    expect(outcomes.map(outcome).sort()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find((one) => one.status === 'rejected')?.reason).toMatchObject({ condition: 'conflict' });
    expect(await owners()).toBe(1);
  });

  it('is not deleted while a repository is being made in it', async () => {
    let deletion: Promise<unknown> = Promise.resolve();
    await services.unitOfWork.run(async (tx) => {
      await tx.query(
        `INSERT INTO repos (namespace_id, name, path, visibility, listed_at)
         SELECT id, 'app', name || '/app', 'private', now() FROM namespaces WHERE name = $1 FOR KEY SHARE`,
        [name],
      );
      deletion = expect(orgs.delete(name, ada.actor, keepingRepositories(services))).rejects.toMatchObject({
        condition: 'conflict',
      });
      await services.waiting();
    });
    await deletion;
    expect(await orgs.find(name)).not.toBeNull();
  });
});

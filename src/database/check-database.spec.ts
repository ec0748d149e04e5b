import { describe, expect, it, jest } from '@jest/globals';
import { freshDatabase } from '../../test/support/postgres.js';
import { checkDatabase } from './check-database.js';

jest.setTimeout(60_000);

describe('the database of the configuration', () => {
  it('is accepted when it answers', async () => {
    const { url } = await freshDatabase();
    await expect(checkDatabase(url)).resolves.toBeUndefined();
  });

  it('is refused with what to do when it does not exist', async () => {
    const url = new URL((await freshDatabase()).url);
    url.pathname = '/no_such_database';
    await expect(checkDatabase(url.href)).rejects.toThrow(/no_such_database.*create it, or correct DATABASE_URL/);
  });

  it('is refused with what to do when TLS is wanted and the server has none', async () => {
    const { url } = await freshDatabase();
    await expect(checkDatabase(`${url}?sslmode=verify-full`)).rejects.toThrow(/: the server has no TLS: .*sslmode/);
  });

  it('is refused without showing the password when that is wrong', async () => {
    const url = new URL((await freshDatabase()).url);
    url.username = 'nobody_at_all';
    url.password = 'hunter22';
    const refusal = await checkDatabase(url.href).then(
      () => '',
      (error: unknown) => String(error),
    );
    expect(refusal).toMatch(/cannot be used: .*DATABASE_URL/);
    expect(refusal).not.toContain('hunter22');
  });
});

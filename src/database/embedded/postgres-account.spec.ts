import { describe, expect, it } from '@jest/globals';
import { StartupError } from '../../config/startup-error.js';
import { checkHasName } from './postgres-account.js';

const OWN = { owner: null, prefix: [] };
const nobody = (): never => {
  throw new Error('uv_os_get_passwd returned ENOENT');
};

describe('making the embedded database', () => {
  it('is refused to a user without a name, with what to do instead', () => {
    const check = (): void => {
      checkHasName(OWN, nobody);
    };
    expect(check).toThrow(StartupError);
    expect(check).toThrow(/^.* uid \d+ has none: add the user to \/etc\/passwd.*or set DATABASE_URL$/);
  });

  it.each([
    ['this user, who has one', OWN, () => ({ username: 'me' })],
    ['the system user', { owner: { uid: 900, gid: 900 }, prefix: [] }, nobody],
    ['nobody in a namespace', { owner: null, prefix: ['unshare'] }, nobody],
  ])('is left to %s', (_, account, lookUp) => {
    expect(() => {
      checkHasName(account, lookUp);
    }).not.toThrow();
  });
});

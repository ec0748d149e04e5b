import { describe, expect, it } from '@jest/globals';
import { ROBOT_NAME, robotLogin, robotLoginBounds, robotLogins, robotName } from './robot-name.js';

describe('names of robots', () => {
  it.each(['ci', 'build-2', '0x', 'a'.repeat(39)])('may be %s', (name) => {
    expect(ROBOT_NAME.test(name)).toBe(true);
    expect(robotName(robotLogin('acme.x', name))).toBe(name);
  });

  it.each(['', 'a', 'a'.repeat(40), 'CI', 'a.b', 'a_b', '-a', 'a-', 'a--b', 'ci\n'])('may not be %j', (name) => {
    expect(ROBOT_NAME.test(name)).toBe(false);
  });

  it.each([
    ['acme', 'ci', ['robot-acme.ci']],
    ['acme', 'robot-acme.ci', ['robot-acme.ci']],
    ['acme', 'robot-acme', ['robot-acme.robot-acme']],
    ['acme', 'robot-acme.x.ci', []],
    ['acme', 'robot-other.ci', []],
    ['acme', 'x.ci', []],
    ['acme', 'robot-acme.', []],
    ['acme', '\0', []],
    ['acme.x', 'robot-acme.x.ci', ['robot-acme.x.ci']],
  ])('in %s %j means %j', (org, text, logins) => {
    expect(robotLogins(org, text)).toEqual(logins);
  });

  it('of one organization stand between two bounds', () => {
    const { after, before } = robotLoginBounds('acme');
    const isWithin = (login: string): boolean => after < login && login < before;
    expect([robotLogin('acme', '00'), robotLogin('acme', 'zz')].map(isWithin)).toEqual([true, true]);
    expect([robotLogin('acm', 'zz'), robotLogin('acme-x', 'ci'), robotLogin('acme0', 'ci')].some(isWithin)).toBe(false);
  });
});

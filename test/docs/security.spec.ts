import { describe, expect, it } from '@jest/globals';
import { SETTING_NAMES } from '../../src/config/settings.js';
import { read, relativeLinks } from './markdown.js';

const text = read('docs/security.md');
const section = (title: string): string => text.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? '';
const rows = (part: string): string[] =>
  part.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| Threat'));

describe('docs/security.md', () => {
  const threats = rows(section('Threats'));

  it('has a test beside each defence, which links.spec.ts looks for', () => {
    expect(threats.length).toBeGreaterThan(40);
    const unshown = threats.filter((row) => !relativeLinks(row).some((link) => link.endsWith('.spec.ts')));
    expect(unshown).toEqual([]);
  });

  it('says of each asset what threatens it', () => {
    const assets = rows(section('Assets')).flatMap((row) => /^\| (A\d)/.exec(row)?.[1] ?? []);
    const named = new Set(threats.flatMap((row) => row.match(/A\d/g) ?? []));
    expect(assets).toHaveLength(9);
    expect(assets.filter((asset) => !named.has(asset))).toEqual([]);
  });

  it('names settings that there are', () => {
    const named = section('Checklist for operators').match(/(?<=`)[A-Z]+_[A-Z_]+(?=[`=])/g) ?? [];
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !(SETTING_NAMES as string[]).includes(name))).toEqual([]);
  });
});

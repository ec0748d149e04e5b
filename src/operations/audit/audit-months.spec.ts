import { describe, expect, it } from '@jest/globals';
import { monthOf, monthOfPartition, monthStart, oldestKept, partitionName } from './audit-months.js';

const december = monthOf(new Date('2026-12-31T23:59:59.999Z'));

describe('months of the audit log', () => {
  it('roll over with the year, in UTC', () => {
    expect([december, december + 1].map((month) => partitionName(month))).toEqual([
      'audit_events_2026_12',
      'audit_events_2027_01',
    ]);
    expect(monthStart(december + 1)).toBe('2027-01-01T00:00:00Z');
    expect(monthOf(new Date('2027-01-01T00:00:00+01:00'))).toBe(december);
  });

  it('are read from the names of partitions, and from no other', () => {
    expect(monthOfPartition(partitionName(december))).toBe(december);
    expect(monthOfPartition('audit_events_default')).toBeNull();
  });

  it('are kept while a part of them is younger than the limit, and for ever without one', () => {
    expect(partitionName(oldestKept(december, 12))).toBe('audit_events_2025_12');
    expect(monthStart(oldestKept(december, 0))).toBe('0001-01-01T00:00:00Z');
    expect(oldestKept(december, 1_000_000)).toBe(oldestKept(december, 0));
  });
});

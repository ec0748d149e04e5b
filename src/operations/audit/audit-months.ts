/** A calendar month in UTC, counted from January of the year 0. */
export type Month = number;

/** PostgreSQL knows no year 0. */
const YEAR_1: Month = 12;
const PARTITION = /^audit_events_(\d{4})_(\d{2})$/;

export function monthOf(time: Date): Month {
  return time.getUTCFullYear() * 12 + time.getUTCMonth();
}

export function partitionName(month: Month): string {
  const [year, number] = yearAndNumber(month);
  return `audit_events_${year}_${number}`;
}

/** `null` for tables that are no month's, such as the default partition. */
export function monthOfPartition(name: string): Month | null {
  const [, year, number] = PARTITION.exec(name) ?? [];
  return year === undefined ? null : Number(year) * 12 + Number(number) - 1;
}

/** Its first moment, for a partition's bounds. */
export function monthStart(month: Month): string {
  const [year, number] = yearAndNumber(month);
  return `${year}-${number}-01T00:00:00Z`;
}

/** The oldest month of which something is younger than `months`; 0 keeps everything. */
export function oldestKept(thisMonth: Month, months: number): Month {
  return months === 0 ? YEAR_1 : Math.max(YEAR_1, thisMonth - months);
}

function yearAndNumber(month: Month): [year: string, number: string] {
  return [String(Math.floor(month / 12)).padStart(4, '0'), String((month % 12) + 1).padStart(2, '0')];
}

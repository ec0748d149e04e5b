const RFC_3339 = /^[12]\d{3}-(\d{2})-(\d{2})T\d{2}:\d{2}:\d{2}(?:\.(\d{1,9}))?(?:Z|[+-]\d{2}:\d{2})$/i;

/** A time of RFC 3339 as the database reads it: in UTC, to the microsecond. `null` for what is none. */
export function readTime(text: string): string | null {
  const [match, month, day, fraction = ''] = RFC_3339.exec(text) ?? [];
  if (match === undefined) return null;
  const time = new Date(text.toUpperCase());
  // Date reads the 31st of February as a day in March.
  if (Number.isNaN(time.getTime()) || !isDay(Number(text.slice(0, 4)), Number(month), Number(day))) return null;
  const micros = fraction.slice(3, 6).padEnd(3, '0');
  return time.toISOString().replace('Z', `${micros}Z`);
}

function isDay(year: number, month: number, day: number): boolean {
  return day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

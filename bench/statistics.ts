export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = NaN, high = NaN] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (low + high) / 2;
}

/** From the median absolute deviation to the standard deviation of a normal distribution. */
const DEVIATIONS = 1.4826;
/** The standard error of a median, beside that of a mean. */
const MEDIAN_ERROR = 1.2533;

/** How far the median of these is likely to be from that of endless rounds: two of its standard errors. */
export function uncertainty(values: readonly number[]): number {
  const middle = median(values);
  const deviation = DEVIATIONS * median(values.map((value) => Math.abs(value - middle)));
  return (2 * MEDIAN_ERROR * deviation) / Math.sqrt(values.length);
}

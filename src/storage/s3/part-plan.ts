const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** S3 refuses smaller parts, except the last one. */
export const MIN_PART_BYTES = 5 * MIB;
export const MAX_PARTS = 10_000;
export const LARGEST_PART_BYTES = 64 * MIB;

/**
 * Parts grow with the offset: small at first, so that many uploads fit into the memory, large later, so that a large
 * blob fits into 10,000 parts. Full parts of this plan are at most 8,800 for 500 GiB; the rest is left for the shorter
 * ones that requests end with.
 */
const PLAN = [
  { below: 1 * GIB, bytes: 8 * MIB },
  { below: 8 * GIB, bytes: 16 * MIB },
  { below: 32 * GIB, bytes: 32 * MIB },
  { below: 500 * GIB, bytes: LARGEST_PART_BYTES },
] as const;

/** Parts that clients send themselves are larger than those that a node holds in memory; by the object's size. */
const DIRECT_PLAN = [
  { upTo: 1 * GIB, bytes: 16 * MIB },
  { upTo: 16 * GIB, bytes: 32 * MIB },
] as const;

/** After so many parts a request's rest is kept as a tail instead of becoming a short part. */
const SHORT_PARTS = 1000;

/** How an object is cut into parts. */
export class PartPlan {
  constructor(private readonly equalPartBytes: number | null) {}

  get largestPartBytes(): number {
    return this.equalPartBytes ?? LARGEST_PART_BYTES;
  }

  get maxObjectBytes(): number {
    return this.equalPartBytes === null ? 500 * GIB : this.equalPartBytes * MAX_PARTS;
  }

  /** Bytes of the part that begins at the offset. */
  partBytesAt(offset: number): number {
    if (this.equalPartBytes !== null) return this.equalPartBytes;
    return PLAN.find(({ below }) => offset < below)?.bytes ?? LARGEST_PART_BYTES;
  }

  /** Bytes of each part but the last of an object of this size that a client sends to the store itself. */
  directPartBytes(size: number): number {
    return this.equalPartBytes ?? DIRECT_PLAN.find(({ upTo }) => size <= upTo)?.bytes ?? LARGEST_PART_BYTES;
  }

  /** Whether a request's last bytes may be a part of their own, after so many others. */
  mayBePart(bytes: number, partsBefore: number): boolean {
    return this.equalPartBytes === null && bytes >= MIN_PART_BYTES && partsBefore < SHORT_PARTS;
  }
}

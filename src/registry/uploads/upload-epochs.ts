// What an epoch is, and why there is one: docs/design/uploads.md#epochs

/** Of a new upload: before any claim; claimed by the request that opens it; as after a PATCH into its row. */
export const FIRST_EPOCH = { unclaimed: 0, claimed: 1, reserved: 2 } as const;

export type FirstEpoch = (typeof FIRST_EPOCH)[keyof typeof FIRST_EPOCH];

/** A PATCH into the row raises the epoch by two, and so leaves one between two claims to the node that answered it. */
export const INLINE_STEP = 2;

import type { Fields, ObjectSchema } from './event-schema.js';

/** What is fixed of each type of event. */
export interface EventRow {
  /** Of the data: one more when a field goes or means something else; new optional fields do not count. */
  readonly version: number;
  /** Of the entry in the audit log; `null` for what is always part of another change that has one. */
  readonly action: string | null;
  readonly data: ObjectSchema<Fields, Fields>;
  /** The fields of the data that the entry shows as its detail; default: all of them. */
  readonly detail?: readonly string[];
}

/** An event of version 1 whose entry in the audit log shows all of its data, or only the fields in `detail`. */
export function event<Required extends Fields, Optional extends Fields>(
  action: string | null,
  data: ObjectSchema<Required, Optional>,
  detail?: readonly (keyof (Required & Optional) & string)[],
): {
  readonly version: 1;
  readonly action: string | null;
  readonly data: ObjectSchema<Required, Optional>;
  readonly detail?: readonly string[];
} {
  return { version: 1, action, data, ...(detail ? { detail } : {}) };
}

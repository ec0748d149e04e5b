/** What the client of a direct upload announced, and how its bytes come. */
export interface DirectPlan {
  /** Bytes. */
  readonly size: number;
  /** Of all parts but the last; `null` for one PUT. */
  readonly partBytes: number | null;
  /** Where it was asked for, for the audit log. */
  readonly address: string | null;
}

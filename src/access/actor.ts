/** Who does something, as histories keep it. */
export interface Actor {
  /** Principal, such as `user:7`. */
  readonly principal: string;
  /** Such as `password` or `key:<id>`. */
  readonly credential: string;
  /** The client's, as far as proxies are trusted. */
  readonly address: string | null;
}

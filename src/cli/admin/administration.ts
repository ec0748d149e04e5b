/** A user, as the API shows one. */
export interface ShownUser {
  readonly username: string;
  readonly email: string | null;
  readonly displayName: string | null;
  readonly admin: boolean;
  readonly disabled: boolean;
  readonly createdAt: string;
}

/** An API key, as the API shows one. */
export interface ShownKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly repositories: readonly string[] | null;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
  readonly lastUsedAddress: string | null;
  readonly createdAt: string;
}

export interface NewUser {
  readonly username: string;
  readonly password: string;
  readonly email?: string;
  readonly displayName?: string;
}

export interface NewKey {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly repositories?: readonly string[];
  readonly expiresAt?: string;
}

/** What the commands do, through a node or without one. Every method throws `CliError` with the API's own words. */
export interface Administration {
  createUser(user: NewUser): Promise<ShownUser>;
  resetPassword(username: string, newPassword: string): Promise<void>;
  setDisabled(username: string, disabled: boolean): Promise<ShownUser>;
  createKey(username: string, key: NewKey): Promise<ShownKey & { readonly key: string }>;
  listKeys(username: string): Promise<readonly ShownKey[]>;
  revokeKey(username: string, id: string): Promise<void>;
  close(): Promise<void>;
}

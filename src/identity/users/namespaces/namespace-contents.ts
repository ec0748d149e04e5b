import type { Transaction } from '../../../database/unit-of-work.js';

/** A namespace whose user or organization is being deleted. */
export interface EndingNamespace {
  readonly id: number;
  readonly name: string;
}

/**
 * Removes the repositories of the namespace, or throws `conflict` to keep it. Called under the lock of the namespace's
 * row, so none is made meanwhile. Gives how many there were. The module of repositories is above this one, so the caller
 * passes it in.
 */
export type EmptyNamespace = (tx: Transaction, namespace: EndingNamespace) => Promise<number>;

interface LockEntry {
  version?: string;
  optional?: boolean;
  link?: boolean;
}

export const NODE_FLAGS: string[];
export const NODE_VARIABLES: Record<string, string>;
export class SetupError extends Error {}
export const root: string;
export function prepare(options?: { build?: boolean; say?: (line: string) => void }): Promise<string>;
export function agree(pinned: Record<string, LockEntry>, installed: Record<string, LockEntry>): boolean;
export function pinnedNode(): string;

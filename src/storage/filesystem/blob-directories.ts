import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseObjectKey, type ObjectKey } from '../object-keys.js';

export const FOLDERS = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, '0'));
const PRIVATE_DIRECTORY = 0o700;

interface Folder {
  readonly handle: Promise<FileHandle>;
  /** A sync that has not begun: callers may join it until it begins. */
  queued: Promise<void> | null;
  running: Promise<void>;
}

/** The folders under the root: all made at the start, so that an upload pays for none, and synced for many at once. */
export class BlobDirectories {
  readonly #folders = new Map<string, Folder>();

  constructor(readonly root: string) {}

  pathOf(key: ObjectKey): string {
    return join(this.root, parseObjectKey(key));
  }

  /** Makes what is missing and proves that files can be made. Throws the system's error. */
  async prepare(): Promise<void> {
    await mkdir(this.root, { recursive: true, mode: PRIVATE_DIRECTORY });
    const present = new Set(await readdir(this.root));
    const missing = FOLDERS.filter((folder) => !present.has(folder));
    // Other nodes over the same directory may start at this moment; `recursive` takes what is there.
    await Promise.all(
      missing.map((folder) => mkdir(join(this.root, folder), { recursive: true, mode: PRIVATE_DIRECTORY })),
    );
    if (missing.length > 0) await this.syncRoot();
    const probe = join(this.root, `.probe-${randomUUID()}`); // nodes in containers may all have one process id
    await (await open(probe, 'w', 0o600)).close();
    await rm(probe);
  }

  async syncRoot(): Promise<void> {
    await syncPath(this.root);
  }

  /** Returns once the names made or removed in the key's folder so far are durable. */
  async syncFolderOf(key: ObjectKey): Promise<void> {
    const folder = this.#folderOf(key);
    folder.queued ??= folder.running.then(async () => {
      folder.queued = null;
      const sync = folder.handle.then((handle) => handle.sync());
      // The next one waits for this one's end, not for its success.
      folder.running = sync.catch(() => undefined);
      await sync;
    });
    await folder.queued;
  }

  async close(): Promise<void> {
    const folders = [...this.#folders.values()];
    this.#folders.clear();
    await Promise.all(folders.map(async ({ handle }) => (await handle).close()));
  }

  #folderOf(key: ObjectKey): Folder {
    const path = dirname(this.pathOf(key));
    const known = this.#folders.get(path);
    if (known) return known;
    const handle = open(path, 'r');
    const folder: Folder = { handle, queued: null, running: Promise.resolve() };
    this.#folders.set(path, folder);
    handle.catch(() => this.#folders.delete(path));
    return folder;
  }
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { type Login, request } from '../admin/http-administration.js';
import { CliError } from '../exit-codes.js';
import type { LocalNode } from '../local-node.js';
import { note } from '../output.js';
import { type FsckRunner, type RunOptions, type ShownDamage, type ShownRun, STOPPED } from './fsck-runner.js';

const FSCK = '/api/v1/admin/fsck';
const DAMAGED = '/api/v1/admin/damaged';
const ASK_MS = 500;
/** A node that goes away is no end: another one goes on, and the one behind the address comes back. */
const PATIENCE_MS = 60_000;

interface FollowedRun extends ShownRun {
  readonly id: string;
  readonly state: 'running' | 'interrupted' | 'done' | 'cancelled' | 'failed';
  readonly problem: string | null;
}

/** The nodes do it; this process begins and follows it. Throws `CliError`. */
export async function openHttpFsck(node: LocalNode, login: Login): Promise<FsckRunner> {
  const ask = <T>(method: string, path: string, body?: object): Promise<T> => request(node, login, method, path, body);
  await ask('GET', '/api/v1/auth/me');
  return {
    run: async (options, moved, stop) => {
      const begun = await begin(ask, options);
      for (let run = begun, answeredAt = Date.now(); ;) {
        if (run.id !== begun.id) throw new CliError('another check was begun meanwhile');
        moved(run);
        if (run.state !== 'running') return ended(run);
        await sleep(ASK_MS, undefined, { signal: stop }).catch(() => undefined);
        if (stop.aborted) {
          await ask('DELETE', FSCK);
          throw new CliError(STOPPED);
        }
        try {
          run = await ask<FollowedRun>('GET', FSCK);
          answeredAt = Date.now();
        } catch (error) {
          if (Date.now() - answeredAt > PATIENCE_MS) throw error;
        }
      }
    },
    damaged: async function* () {
      for (let cursor: string | null = ''; cursor !== null;) {
        const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const page: Page = await ask<Page>('GET', `${DAMAGED}?limit=200${query}`);
        yield* page.items;
        cursor = page.next;
      }
    },
    close: () => Promise.resolve(),
  };
}

interface Page {
  readonly items: readonly ShownDamage[];
  readonly next: string | null;
}

type Ask = <T>(method: string, path: string, body?: object) => Promise<T>;

/** Follows a run that is under way: its client may have lost the connection. */
async function begin(ask: Ask, { hash, bytesPerSecond, restart }: RunOptions): Promise<FollowedRun> {
  const last = await ask<FollowedRun>('GET', FSCK).catch(() => null);
  if (last?.state === 'running' && last.hash === hash && !restart) {
    note('a check is going on already: this follows it');
    return last;
  }
  return ask<FollowedRun>('POST', FSCK, { hash, bytesPerSecond, resume: !restart });
}

function ended(run: FollowedRun): FollowedRun {
  if (run.state === 'done') return run;
  throw new CliError(run.problem ?? 'the check was cancelled; the same command goes on from there');
}

import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Installation } from './installation.entity.js';

const FIND = 'SELECT id FROM installation';
const IS_DUE = 'SELECT reconcile_due <= now() AS "isDue" FROM installation';
const CREATE = `
INSERT INTO installation (id, reconcile_due) VALUES ($1, now() + make_interval(secs => $2))
ON CONFLICT (single) DO NOTHING`;
// $3: whether it has to be due. It takes its own lease again: an earlier attempt had it.
const BEGIN = `
WITH taken AS (
  UPDATE installation SET reconciler = $1, reconcile_due = now() + make_interval(secs => $2)
  WHERE reconcile_due <= now() OR (NOT $3 AND reconciler IS NULL) OR reconciler = $1 RETURNING id
) SELECT id FROM taken`;
const PROLONG = `
WITH kept AS (
  UPDATE installation SET reconcile_due = now() + make_interval(secs => $2) WHERE reconciler = $1 RETURNING id
) SELECT id FROM kept`;
const END = `
UPDATE installation SET reconciler = NULL, reconcile_due = now() + make_interval(secs => $2) WHERE reconciler = $1`;

/** The one row of `installation`. */
@Injectable()
export class InstallationRepository {
  constructor(@InjectRepository(Installation) private readonly rows: Repository<Installation>) {}

  async id(): Promise<string | null> {
    const [row] = await this.rows.manager.query<{ id: string }[]>(FIND);
    return row?.id ?? null;
  }

  /** Makes the row unless there is one. */
  async create(id: string, firstRunSeconds: number): Promise<void> {
    await this.rows.manager.query(CREATE, [id, firstRunSeconds]);
  }

  async isDue(): Promise<boolean> {
    const [row] = await this.rows.manager.query<{ isDue: boolean }[]>(IS_DUE);
    return row?.isDue ?? false;
  }

  /** Whether the run may begin; it holds the lease from then on. */
  async begin(run: string, leaseSeconds: number, onlyIfDue: boolean): Promise<boolean> {
    return (await this.rows.manager.query<unknown[]>(BEGIN, [run, leaseSeconds, onlyIfDue])).length > 0;
  }

  /** False when the lease had ended and another run has it. */
  async prolong(run: string, leaseSeconds: number): Promise<boolean> {
    return (await this.rows.manager.query<unknown[]>(PROLONG, [run, leaseSeconds])).length > 0;
  }

  /** The next run begins this much later; nothing when another run has the lease. */
  async end(run: string, pauseSeconds: number): Promise<void> {
    await this.rows.manager.query(END, [run, pauseSeconds]);
  }
}

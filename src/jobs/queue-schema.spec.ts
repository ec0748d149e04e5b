import { expect, it } from '@jest/globals';
import { PgBoss } from 'pg-boss';
import { contentServices } from '../../test/support/content-services.js';
import { RawStatements } from '../database/raw-statements.js';

it('is made by migrations alone: exactly what this version of pg-boss needs', async () => {
  const { dataSource } = await contentServices();
  const statements = new RawStatements(dataSource);
  const executeSql = async (text: string, values?: unknown[]) =>
    (await statements.run(text, values)) as { rows: never[] };
  const boss = new PgBoss({ db: { executeSql }, schema: 'public', createSchema: false });
  const [version] = (await executeSql('SELECT version FROM version')).rows as { version: number }[];
  await boss.start(); // it would migrate what is older
  try {
    expect(await boss.schemaVersion()).toBe(version?.version);
    const { ok: _ok, building: _building, constraintDrift, enumDrift, ...drift } = await boss.detectSchemaDrift();
    const differing = Object.entries(drift).filter(([, found]) => found.length > 0);
    expect({ ...Object.fromEntries(differing), enumDrift }).toEqual({ enumDrift: null });
    // PostgreSQL leaves out the schema where it is the first that is searched.
    for (const { missingConstraints, unexpectedConstraints } of constraintDrift)
      expect(missingConstraints.map((text) => text.replaceAll('public.', ''))).toEqual(unexpectedConstraints);
  } finally {
    await boss.stop({ graceful: false });
  }
}, 60_000);

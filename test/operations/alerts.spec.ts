// needs: prometheus
import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { run } from '../support/processes.js';
import { RULES } from './prometheus.js';

const CASES = fileURLToPath(new URL('alerts.test.yaml', import.meta.url));
const RUNBOOK = fileURLToPath(new URL('../../docs/operations.md', import.meta.url));

describe('the alerts', () => {
  it('are rules that Prometheus takes', async () => {
    const { stdout } = await run('promtool', ['check', 'rules', RULES]);
    expect(stdout).toMatch(/SUCCESS: \d+ rules found/);
  });

  it('fire when they should, and not before', async () => {
    const { stdout } = await run('promtool', ['test', 'rules', CASES]);
    expect(stdout).toContain('SUCCESS');
  });

  it('each have a section in the runbook, and the runbook has no other', () => {
    const rules = readFileSync(RULES, 'utf8');
    const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name);
    const urls = [...rules.matchAll(/runbook_url: \S+\/docs\/operations\.md#(\S+)/g)].map(([, anchor]) => anchor);
    const sections = [...readFileSync(RUNBOOK, 'utf8').matchAll(/^### (Aerugo\w+)$/gm)].map(([, name]) => name);
    expect(sections).toEqual(alerts);
    expect(urls).toEqual(alerts.map((name) => name.toLowerCase()));
  });
});

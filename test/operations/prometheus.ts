import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, needProgram, onFileEnd, end, ready, scratchDirectory, start } from '../support/processes.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const RULES = path.join(ROOT, 'helm/aerugo/alerts/aerugo.rules.yaml');
export const DASHBOARD = path.join(ROOT, 'helm/aerugo/dashboards/aerugo.json');

/** A Prometheus that scrapes the targets all the time, with the rules of the chart. */
export class Prometheus {
  private constructor(private readonly url: string) {}

  static async start(targets: readonly string[]): Promise<Prometheus> {
    const directory = scratchDirectory('prometheus');
    const config = path.join(directory, 'prometheus.yml');
    writeFileSync(
      config,
      JSON.stringify({
        global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
        rule_files: [RULES],
        scrape_configs: [{ job_name: 'aerugo', static_configs: [{ targets }] }],
      }),
    );
    const port = await freePort();
    const args = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${path.join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    const log = path.join(directory, 'log');
    writeFileSync(log, '');
    const child = start(needProgram('prometheus'), args, { cwd: directory, stdio: 'ignore' });
    onFileEnd(() => end(child));
    const url = `http://127.0.0.1:${port}`;
    await ready(child, log, async () => (await fetch(`${url}/-/ready`).catch(() => null))?.ok === true);
    return new Prometheus(url);
  }

  /** The value of each series that the expression gives; empty where there is none. Throws for what is no expression. */
  async query(expression: string): Promise<number[]> {
    const answer = await fetch(`${this.url}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const { status, error, data } = (await answer.json()) as {
      status: string;
      error?: string;
      data: { result: { value: [number, string] }[] };
    };
    if (status !== 'success') throw new Error(`${expression}: ${error ?? status}`);
    return data.result.map(({ value }) => Number(value[1]));
  }
}

/** Every expression of the dashboard, with all jobs and instances. */
export function dashboardExpressions(): string[] {
  const { panels } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as {
    panels: { targets?: { expr: string }[] }[];
  };
  return panels
    .flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
    .map((expr) =>
      expr.replaceAll('$__rate_interval', '1m').replaceAll('"$job"', '".*"').replaceAll('"$instance"', '".*"'),
    );
}

/** Names of series, as the dashboard and the rules have them. */
export function metricsNamed(text: string): string[] {
  return [...new Set(text.match(/\b(?:aerugo|nodejs|process)_[a-z0-9_]+/g) ?? [])];
}

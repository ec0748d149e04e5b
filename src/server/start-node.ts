import cluster from 'node:cluster';
import type { Logger } from 'pino';
import type { AppConfig } from '../config/config.js';
import { readConfig, readProxies, readTracing } from '../config/read-config.js';
import { StartupError } from '../config/startup-error.js';
import type { TracingConfig } from '../config/tracing.js';
import { openLog } from './logging/logger.js';
import { Proxies } from '../outgoing/proxies.js';
import { StopSignals } from './stop-signals.js';
import type { Traces } from '../operations/tracing/traces.js';

/** Something may still hold on to the event loop after everything has been closed. */
const EXIT_PATIENCE_MS = 2_000;

/**
 * What this process is as part of a node, from its configuration to its end: the node, the one that starts its workers,
 * or a worker. It leaves the exit code in `process.exitCode`.
 */
export async function startNode(): Promise<void> {
  process.exitCode = await runProcess();
  // The channel to the primary would keep a worker alive, a collector that hangs any process. What it has logged is on
  // its way first.
  if (cluster.isWorker || readTracing().protocol !== null) process.stdout.write('', () => process.exit());
  setTimeout(() => process.exit(), EXIT_PATIENCE_MS).unref();
}

async function runProcess(): Promise<number> {
  if (cluster.isWorker) {
    return traced(readTracing(), async (traces) => {
      const { runWorker } = await import('./worker.js');
      return runWorker(traces);
    });
  }
  const signals = new StopSignals();
  process.stdout.on('error', () => undefined); // the log's reader has gone; the registry goes on
  try {
    const config: AppConfig = readConfig();
    const log: Logger = await openLog(config.server.logLevel, process.stdout.isTTY);
    if (config.server.workers === 1) {
      return await traced(config.server.tracing, async (traces) => {
        traces?.tell(log);
        const { serveSingle } = await import('./serve-single.js');
        return serveSingle(config, log, signals, traces);
      });
    }
    const { runPrimary } = await import('./primary.js'); // without what only requests need
    return await runPrimary(config, log, signals);
  } catch (error) {
    // A StartupError tells the operator what to do; anything else is a bug, and its stack tells us.
    const stack = error instanceof Error ? error.stack : undefined;
    const reason = error instanceof StartupError ? error.message : (stack ?? String(error));
    process.stderr.write(`Aerugo cannot start: ${reason}\n`);
    return 1;
  }
}

/**
 * Tracing is loaded only where it is enabled, and then before everything else: it changes the packages
 * that ask PostgreSQL, Redis and S3 as they are loaded.
 */
async function traced({ protocol }: TracingConfig, work: (traces: Traces | null) => Promise<number>): Promise<number> {
  if (protocol === null) return work(null);
  const { startTraces } = await import('../operations/tracing/start-traces.js');
  const traces = startTraces(protocol, new Proxies(readProxies()));
  try {
    return await work(traces);
  } finally {
    await traces.close();
  }
}

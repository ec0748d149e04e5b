// Given to a node with `--import`: a worker then does not begin as long as there is the file that this variable names.
import cluster from 'node:cluster';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const { TEST_WORKERS_HELD_BY: file = '' } = process.env;
while (cluster.isWorker && existsSync(file)) await sleep(20);

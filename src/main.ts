import { startNode } from './start.js';

await startNode();

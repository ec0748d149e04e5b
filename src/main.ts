import { startNode } from './server/start-node.js';

await startNode();

import type { Agent } from 'node:http';
import { Socket } from 'node:net';
import { followingConnections } from '../../outgoing/agents.js';

/** So many looks at a connection in a row that find it idle. */
const LOOKS = 10;

/**
 * Connections that end with a `TimeoutError` when the store neither takes nor sends a byte for `idleMs`, or a tenth
 * less. The SDK's own `socketTimeout` begins 3 s late, and anew when the kernel has taken some of the bytes meanwhile.
 */
export function withIdleTimeout<A extends Agent>(agent: A, idleMs: number): A {
  const lookMs = idleMs / (LOOKS + 1); // the first look may find what the kernel has taken
  const create = agent.createConnection.bind(agent);
  agent.createConnection = followingConnections(create, (socket) => {
    addIdleTimeout(socket, lookMs);
  });
  const reuse = agent.reuseSocket.bind(agent);
  agent.reuseSocket = (socket, request) => {
    reuse(socket, request);
    // The agent has turned the timer off while the connection waited for its next request.
    if (socket instanceof Socket) socket.setTimeout(lookMs);
  };
  return agent;
}

/** Node.js emits `timeout` only when a write has made no progress either; two that follow each other closely are idle time. */
function addIdleTimeout(socket: Socket, lookMs: number): void {
  let looks = 0;
  let received = -1;
  let lookedAt = -Infinity;
  socket.setTimeout(lookMs);
  socket.on('timeout', () => {
    const now = performance.now();
    const isIdle = now - lookedAt < 2 * lookMs && socket.bytesRead === received;
    looks = isIdle ? looks + 1 : 1;
    received = socket.bytesRead;
    lookedAt = now;
    if (looks < LOOKS) socket.setTimeout(lookMs);
    else socket.destroy(Object.assign(new Error('the store was idle'), { name: 'TimeoutError' }));
  });
}

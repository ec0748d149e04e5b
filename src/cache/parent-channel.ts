import type { DropMessageToWorker } from './drop-messages.js';
import type { PrimaryChannel } from './worker-fact-cache.js';

/** The channel that the process which started this one has opened for it; other messages on it are others' business. */
export function parentChannel(): PrimaryChannel {
  return {
    send: (message) => {
      if (process.connected) process.send?.(message); // without the primary this process ends
    },
    onMessage: (receive) => {
      process.on('message', (message: object) => {
        if ('kind' in message && typeof message.kind === 'string' && message.kind.startsWith('facts.'))
          receive(message as DropMessageToWorker);
      });
    },
  };
}

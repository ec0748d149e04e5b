import type { S3Client } from '@aws-sdk/client-s3';
import { IncomingMessage } from 'node:http';

/**
 * A store, or what is before it, may answer before it has read the whole body. Node.js would go on to send the rest from
 * memory that by then may be another transfer's: so a peer that has answered gets no more.
 */
export function abortAfterAnswer(client: S3Client): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { body } = result.response as { body?: unknown };
      if (body instanceof IncomingMessage) abortAfter(body);
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'abortAfterAnswer' },
  );
}

function abortAfter(answer: IncomingMessage): void {
  const { socket } = answer;
  const end = (): void => {
    if (socket.writableLength > 0) socket.destroy();
  };
  // Before the answer is passed on, and so before the memory is given back or sent from again.
  if (answer.readableEnded) end();
  else answer.once('end', end).once('close', end);
}

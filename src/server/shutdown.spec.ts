import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import http from 'node:http';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import { Drain } from '../http/connections/drain.js';
import { drain } from './shutdown.js';

describe('a drain', () => {
  it('accepts nobody any more when it says that it has begun', async () => {
    const server = http.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const state = new Drain();
    const app = { get: () => state, getHttpServer: () => server } as unknown as NestExpressApplication;
    const said: object[] = [];
    const info = ({ event }: { event: string }): void => {
      said.push({ event, isListening: server.listening, isDraining: state.isDraining });
    };
    const stop = { stop: AbortSignal.abort(), hurry: new AbortController().signal };
    await drain(app, 60, { info } as unknown as Logger, stop);
    expect(said).toEqual([{ event: 'draining', isListening: false, isDraining: true }]);
  });
});

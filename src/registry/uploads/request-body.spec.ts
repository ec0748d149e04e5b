import { EventEmitter } from 'node:events';
import { type IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Request } from 'express';
import { bodyBuffer, bodyMemory } from '../../../test/support/body-memory.js';
import { BodyAborted, RequestBody } from './request-body.js';

function requestOf(headers: IncomingHttpHeaders): PassThrough & { body: RequestBody } {
  const stream = Object.assign(new PassThrough(), { headers });
  return Object.assign(stream, { body: new RequestBody(stream as unknown as IncomingMessage, 1024, bodyBuffer()) });
}

async function drain(body: RequestBody): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('the body of a request', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  it('is empty where none is announced', async () => {
    const { body } = requestOf({});
    expect(body.declaredLength).toBe(0);
    expect(await body.readFirst(10)).toHaveLength(0);
    expect(body.hasEnded).toBe(true);
  });

  it('is read whole when it is small', async () => {
    const request = requestOf({ 'transfer-encoding': 'chunked' });
    request.write('hel');
    request.end('lo');
    expect((await request.body.readFirst(10)).toString()).toBe('hello');
    expect(request.body.hasEnded).toBe(true);
  });

  it('goes on after its first bytes, and loses none between the two', async () => {
    const request = requestOf({ 'transfer-encoding': 'chunked' });
    for (let index = 0; index < 50; index++) request.write(Buffer.alloc(100, index));
    const first = await request.body.readFirst(1000);
    expect(first.length).toBeGreaterThan(1000);
    request.end('end');
    const rest = await drain(request.body);
    expect(first.length + rest.length).toBe(5003);
    expect(rest.subarray(-3).toString()).toBe('end');
  });

  it('stays where it is after its first bytes until it is asked for', async () => {
    const request = requestOf({ 'transfer-encoding': 'chunked' });
    request.write(Buffer.alloc(100));
    await request.body.readFirst(10);
    expect(request.isPaused()).toBe(true);
    request.end('rest');
    expect((await drain(request.body)).toString()).toBe('rest');
  });

  it('is nobody’s when its client leaves before there is memory for the last of it', async () => {
    const [memory, share] = [bodyMemory(), { namespace: 'acme', principal: 'user:1' }];
    const others = { context: { share }, res: new EventEmitter() } as unknown as Request;
    const stream = Object.assign(new PassThrough(), { headers: { 'transfer-encoding': 'chunked' } });
    const own = { context: { share }, res: new EventEmitter() } as unknown as Request;
    const body = new RequestBody(stream as unknown as IncomingMessage, 1024, memory.open(own));
    const first = body.readFirst(10_000);
    stream.write('first');
    await new Promise(setImmediate);
    const taken = memory.open(others).reserve(70_000, 32 * 2 ** 20 - 5, new AbortController().signal);
    stream.end(Buffer.alloc(8_000));
    await new Promise(setImmediate);
    own.res?.emit('close');
    others.res?.emit('close');
    expect(taken).toBeNull();
    await expect(first).rejects.toThrow(BodyAborted);
  });

  it('leaves its place in the line for memory when its client leaves', async () => {
    const [memory, share] = [bodyMemory(), { namespace: 'acme', principal: 'user:1' }];
    const others = { context: { share }, res: new EventEmitter() } as unknown as Request;
    const taken = memory.open(others).reserve(70_000, 32 * 2 ** 20, new AbortController().signal);
    const stream = Object.assign(new PassThrough(), { headers: { 'transfer-encoding': 'chunked' } });
    const own = { context: { share }, res: new EventEmitter() } as unknown as Request;
    const client = new AbortController();
    const body = new RequestBody(stream as unknown as IncomingMessage, 1024, memory.open(own));
    const first = body.readFirst(10_000, client.signal);
    stream.write('first');
    await new Promise(setImmediate);
    client.abort(new Error('the client left'));
    expect(taken).toBeNull();
    await expect(first).rejects.toThrow(BodyAborted);
  });

  it('is left unread when its announced length is not small', async () => {
    const request = requestOf({ 'content-length': '11' });
    expect(await request.body.readFirst(10)).toHaveLength(0);
    request.end('hello world');
    expect((await drain(request.body)).toString()).toBe('hello world');
  });

  it('holds the sender back while its reader is busy, and loses nothing', async () => {
    const request = requestOf({ 'transfer-encoding': 'chunked' });
    const size = 2 * 1024 * 1024;
    request.end(Buffer.alloc(size, 7));
    let read = 0;
    for await (const chunk of request.body) {
      read += chunk.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(read).toBe(size);
    expect(request.body.hasEnded).toBe(true);
  });

  it.each([
    ['that is read at once', 10],
    ['whose last chunk is more than was asked for', 3],
    ['that is streamed', 0],
  ])('%s is whole only for a caller who still may', async (_, limit) => {
    const request = Object.assign(new PassThrough(), { headers: { 'transfer-encoding': 'chunked' } });
    const denied = { renew: () => Promise.reject(new Error('denied')) };
    const body = new RequestBody(request as unknown as IncomingMessage, 1024, bodyBuffer(), denied);
    request.end('hello');
    const reading = limit === 0 ? drain(body) : body.readFirst(limit).then(() => drain(body));
    await expect(reading).rejects.toThrow('denied');
  });

  it('fails when the connection ends before it', async () => {
    const request = requestOf({ 'content-length': '5' });
    request.write('hel');
    setImmediate(() => request.destroy());
    await expect(drain(request.body)).rejects.toBeInstanceOf(BodyAborted);
  });

  it('gives back what nobody has read when the connection ends before it', async () => {
    const request = new IncomingMessage(new Socket());
    request.headers = { 'transfer-encoding': 'chunked' };
    const body = new RequestBody(request, 1024, bodyBuffer());
    const chunks = Array.from({ length: 3 }, () => Buffer.alloc(40_000));
    const first = body.readFirst(10);
    for (const chunk of chunks) request.push(chunk);
    await first;
    request.resume();
    await new Promise((resolve) => setImmediate(resolve));
    request.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    expect(chunks.slice(1).map(({ length }) => length)).toEqual([0, 0]);
    await expect(drain(body)).rejects.toBeInstanceOf(BodyAborted);
  });

  it('stays readable for others when its reader gives up', async () => {
    const request = requestOf({ 'transfer-encoding': 'chunked' });
    request.write('hello');
    const giveUp = async (): Promise<void> => {
      for await (const _ of request.body) throw new Error('full');
    };
    await expect(giveUp()).rejects.toThrow('full');
    expect(request.destroyed).toBe(false);
    request.resume();
    request.end('rest');
    await new Promise((resolve) => request.once('end', resolve));
  });

  it('is cut off when the client sends too slowly, but not when the store is slow', async () => {
    jest.useFakeTimers();
    const patient = requestOf({ 'transfer-encoding': 'chunked' });
    patient.write(Buffer.alloc(300 * 1024));
    const chunks = patient.body[Symbol.asyncIterator]();
    await chunks.next();
    await jest.advanceTimersByTimeAsync(60_000);
    patient.end('x');
    const rest: Buffer[] = [];
    for await (const chunk of chunks) rest.push(chunk);
    expect(Buffer.concat(rest).subarray(-1).toString()).toBe('x');

    const slow = requestOf({ 'transfer-encoding': 'chunked' });
    const drained = expect(drain(slow.body)).rejects.toMatchObject({ condition: 'bodyTooSlow' });
    slow.write('x');
    await jest.advanceTimersByTimeAsync(30_000);
    await drained;
  });
});

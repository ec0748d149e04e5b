import { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { BodyAborted, RequestBody } from './request-body.js';

function requestOf(headers: IncomingHttpHeaders): PassThrough & { body: RequestBody } {
  const stream = Object.assign(new PassThrough(), { headers });
  return Object.assign(stream, { body: new RequestBody(stream as unknown as IncomingMessage, 1024) });
}

async function drain(body: RequestBody): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await body.pump((chunk) => {
    chunks.push(chunk);
    return undefined;
  });
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

  it('is left unread when its announced length is not small', async () => {
    const request = requestOf({ 'content-length': '11' });
    expect(await request.body.readFirst(10)).toHaveLength(0);
    request.end('hello world');
    expect((await drain(request.body)).toString()).toBe('hello world');
  });

  it('waits for its consumer, also at the end', async () => {
    const request = requestOf({ 'content-length': '5' });
    request.end('hello');
    let isWritten = false;
    await request.body.pump(async () => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      isWritten = true;
    });
    expect(isWritten).toBe(true);
  });

  it('fails when the connection ends before it', async () => {
    const request = requestOf({ 'content-length': '5' });
    request.write('hel');
    setImmediate(() => request.destroy());
    await expect(drain(request.body)).rejects.toBeInstanceOf(BodyAborted);
  });

  it('fails with what its consumer throws', async () => {
    const request = requestOf({ 'content-length': '5' });
    request.end('hello');
    await expect(request.body.pump(() => Promise.reject(new Error('full')))).rejects.toThrow('full');
  });

  it('is cut off when the client sends too slowly, but not when the store is slow', async () => {
    jest.useFakeTimers();
    const patient = requestOf({ 'transfer-encoding': 'chunked' });
    let resume = (): void => undefined;
    const stored = patient.body.pump(() => new Promise<void>((resolve) => (resume = resolve)));
    patient.end('x');
    await jest.advanceTimersByTimeAsync(60_000);
    resume();
    await expect(stored).resolves.toBeUndefined();

    const slow = requestOf({ 'transfer-encoding': 'chunked' });
    const drained = expect(drain(slow.body)).rejects.toMatchObject({ condition: 'bodyTooSlow' });
    slow.write('x');
    await jest.advanceTimersByTimeAsync(20_000);
    await drained;
  });
});

import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { releaseMemory } from '../../fairness/release-memory.js';
import { type ManifestReference, type ParsedManifest, parseManifest, parseStoredManifest } from '../../oci/manifest.js';
import type { ManifestLimits } from '../../oci/manifest-limits.js';
import { OciError } from '../../oci/oci-error.js';
import type { Numbered, ParserReply, ParserRequest } from './parser-protocol.js';

// Compiled it lies beside this file as JavaScript; under the tests both are still TypeScript.
const WORKER_FILE = new URL(import.meta.url.endsWith('.ts') ? 'parser-worker.ts' : 'parser-worker.js', import.meta.url);
/** Bytes up to which the event loop parses itself: 20 ms at most, whatever they are. */
const PARSED_HERE = 128 * 1024;
/** After which the thread ends; milliseconds. It has some 20 MB of its own. */
const IDLE_MS = 60_000;
const YOUNG_MEGABYTES = 4;

interface Waiting {
  readonly resolve: (reply: ParserReply) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Parses manifests. One of 4 MiB takes a parser up to 0.2 s: large ones are parsed in a thread, which is started when it
 * is first needed, and ends when it is not needed any more.
 */
@Injectable()
export class ManifestParser implements OnApplicationShutdown {
  private readonly logger = new Logger(ManifestParser.name);
  private readonly waiting = new Map<number, Waiting>();
  private worker: Worker | null = null;
  private idle: NodeJS.Timeout | undefined;
  private lastId = 0;

  /** As `parseManifest`. */
  parse(
    bytes: Buffer,
    contentType: string | undefined,
    limits: ManifestLimits,
  ): ParsedManifest | Promise<ParsedManifest> {
    if (bytes.length <= PARSED_HERE || bytes.length > limits.maxBytes) return parseManifest(bytes, contentType, limits);
    return this.ask({ op: 'pushed', bytes, contentType, limits });
  }

  /** As `parseStoredManifest`. */
  parseStored(bytes: Buffer, mediaType: string): ParsedManifest | Promise<ParsedManifest> {
    if (bytes.length <= PARSED_HERE) return parseStoredManifest(bytes, mediaType);
    return this.ask({ op: 'stored', bytes, mediaType });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.end();
  }

  private async ask(request: ParserRequest): Promise<ParsedManifest> {
    const reply = await this.send(request);
    if (reply.kind === 'failed') throw new Error(reply.message);
    if (reply.kind === 'refused') {
      const { condition, detail, reason } = reply;
      throw new OciError(condition, detail, reason === undefined ? {} : { reason });
    }
    const { bytes, lengths } = reply.references;
    const lists = Buffer.from(bytes.buffer);
    const references: ManifestReference[] = [];
    let at = 0;
    for (const length of lengths) {
      references.push(...(JSON.parse(lists.toString('utf8', at, at + length)) as ManifestReference[]));
      at += length;
      await turn();
    }
    releaseMemory(bytes);
    return { ...reply.manifest, references };
  }

  private send(content: ParserRequest): Promise<ParserReply> {
    clearTimeout(this.idle);
    this.worker ??= this.start();
    // A copy that is handed over: the caller stores the bytes, and they may be a part of something larger.
    const request = { id: ++this.lastId, content: { ...content, bytes: new Uint8Array(content.bytes) } };
    const { promise, resolve, reject } = Promise.withResolvers<ParserReply>();
    this.waiting.set(request.id, { resolve, reject });
    this.worker.postMessage(request, [request.content.bytes.buffer]);
    return promise;
  }

  private start(): Worker {
    const worker = new Worker(WORKER_FILE, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES } });
    worker.unref();
    worker.on('message', ({ id, content }: Numbered<ParserReply>) => {
      this.waiting.get(id)?.resolve(content);
      this.waiting.delete(id);
      if (this.waiting.size === 0) this.idle = setTimeout(() => void this.end(), IDLE_MS).unref();
    });
    worker.on('error', (error) => {
      this.logger.error({ error: String(error), message: 'the parser thread crashed' });
    });
    worker.on('exit', () => {
      if (this.worker === worker) this.lose();
    });
    return worker;
  }

  private async end(): Promise<void> {
    const { worker } = this;
    clearTimeout(this.idle);
    this.lose();
    await worker?.terminate();
  }

  private lose(): void {
    this.worker = null;
    for (const { reject } of this.waiting.values()) reject(new Error('the parser thread has ended'));
    this.waiting.clear();
  }
}

import { parentPort } from 'node:worker_threads';
import { type ParsedManifest, parseManifest, parseStoredManifest } from '../../oci/manifest.js';
import { OciError } from '../../oci/oci-error.js';
import { releaseMemory } from '../../fairness/release-memory.js';
import type { Numbered, ParserReply, ParserRequest } from './parser-protocol.js';

/** References in one list: its text and its objects are young when they are thrown away. */
const SLICE = 250;

const port = parentPort;
if (!port) throw new Error('a worker thread has a parent');

function parse(request: ParserRequest): ParsedManifest {
  return request.op === 'stored'
    ? parseStoredManifest(request.bytes, request.mediaType)
    : parseManifest(request.bytes, request.contentType, request.limits);
}

function answer(request: ParserRequest): ParserReply {
  try {
    const { references, ...manifest } = parse(request);
    const lists: Buffer[] = [];
    for (let at = 0; at < references.length; at += SLICE)
      lists.push(Buffer.from(JSON.stringify(references.slice(at, at + SLICE))));
    const lengths = lists.map(({ length }) => length);
    return { kind: 'parsed', manifest, references: { bytes: new Uint8Array(Buffer.concat(lists)), lengths } };
  } catch (error) {
    if (!(error instanceof OciError)) return { kind: 'failed', message: String(error) };
    const { condition, detail, reason } = error;
    return { kind: 'refused', condition, detail, reason };
  }
}

port.on('message', ({ id, content: request }: Numbered<ParserRequest>) => {
  const content = answer(request);
  releaseMemory(request.bytes);
  const reply: Numbered<ParserReply> = { id, content };
  port.postMessage(reply, content.kind === 'parsed' ? [content.references.bytes.buffer] : []);
  // What is left over is ten times the manifest, and the collector of a thread that rests comes late.
  globalThis.gc?.();
});

import type { Response } from 'express';
import { holdAnswer } from '../../http/answers/unread-answers.js';
import { V2_HEADERS } from '../../http/v2/v2-headers.js';
import { warningHeaders } from '../../oci/warning.js';

/** Header names and values in turn, as `writeHead` takes them: the cheapest way out of Node. */
export type FlatHeaders = string[];

/** Status and headers of an answer whose body, if any, the caller writes. */
export function replyHead(response: Response, status: number, headers: FlatHeaders): Response {
  const length = headers.indexOf('Content-Length');
  response.req.context.bytes = length === -1 ? 0 : Number(headers[length + 1]);
  return response.writeHead(status, [...V2_HEADERS, ...headers]);
}

/**
 * The whole answer in one go; Node leaves the body out of an answer to HEAD. A string is one of `latin1`, each
 * character a byte: Node sends it in one piece with the headers, a Buffer in two.
 */
export function reply(response: Response, status: number, headers: FlatHeaders, body?: Buffer | string): void {
  replyHead(response, status, headers);
  if (typeof body === 'string') response.end(body, 'latin1');
  else response.end(body);
}

interface JsonReply {
  readonly contentType?: string;
  readonly headers?: FlatHeaders;
}

/** Throws `ShareExhausted` while too many large answers of the caller's have not been read. */
export function replyJson(response: Response, body: object, options?: JsonReply): void {
  replyJsonText(response, JSON.stringify(body), options);
}

/** The same of what is JSON already. */
export function replyJsonText(
  response: Response,
  body: string,
  { contentType = 'application/json', headers = [] }: JsonReply = {},
): void {
  const bytes = Buffer.from(body);
  holdAnswer(response, bytes.length);
  reply(response, 200, ['Content-Type', contentType, 'Content-Length', String(bytes.length), ...headers], bytes);
}

/** An answer whose message is in its headers. */
export function replyEmpty(response: Response, status: number, headers: FlatHeaders = []): void {
  reply(response, status, ['Content-Length', '0', ...headers]);
}

/** `Warning` headers (distribution-spec, "Warnings") for an answer that is still to be sent. */
export function addWarnings(response: Response, texts: readonly string[]): void {
  const values = warningHeaders(texts);
  if (values.length > 0) response.setHeader('Warning', values);
}

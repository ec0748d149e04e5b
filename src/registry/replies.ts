import type { Response } from 'express';
import { warningHeaders } from '../oci/warning.js';

/** Header names and values in turn, as `writeHead` takes them: the cheapest way out of Node. */
export type FlatHeaders = string[];

/** The whole answer in one go; Node leaves the body out of an answer to HEAD. */
export function reply(response: Response, status: number, headers: FlatHeaders, body?: Buffer): void {
  response.writeHead(status, headers).end(body);
}

export function replyJson(
  response: Response,
  body: object,
  { contentType = 'application/json', headers = [] }: { contentType?: string; headers?: FlatHeaders } = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body));
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

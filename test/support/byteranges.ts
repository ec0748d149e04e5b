/** One part of a `multipart/byteranges` body. */
export interface RangePart {
  readonly range: string;
  readonly type: string;
  readonly bytes: Buffer;
}

/** Reads the body as RFC 2046 says, and nothing else than it: throws for bytes that are in no part. */
export function readByteranges(contentType: string, body: Buffer): RangePart[] {
  const boundary = /^multipart\/byteranges; boundary=([\w-]{1,70})$/.exec(contentType)?.[1];
  if (boundary === undefined) throw new Error(`no boundary in ${contentType}`);
  const parts: RangePart[] = [];
  let position = 0;
  const expect = (text: string): void => {
    const found = body.subarray(position, position + text.length).toString('latin1');
    if (found !== text) throw new Error(`not ${JSON.stringify(text)} at ${position} but ${JSON.stringify(found)}`);
    position += text.length;
  };
  for (;;) {
    expect(`\r\n--${boundary}`);
    if (body.subarray(position, position + 2).toString('latin1') === '--') break;
    expect('\r\n');
    const end = body.indexOf('\r\n\r\n', position);
    const head = body.subarray(position, end).toString('latin1');
    position = end + 4;
    const [, type = '', range = '', first = '', last = ''] =
      /^Content-Type: (\S+)\r\nContent-Range: (bytes (\d+)-(\d+)\/\d+)$/.exec(head) ?? [];
    const length = Number(last) - Number(first) + 1;
    parts.push({ range, type, bytes: body.subarray(position, position + length) });
    position += length;
  }
  expect('--\r\n');
  if (position !== body.length) throw new Error(`${body.length - position} bytes after the end`);
  return parts;
}

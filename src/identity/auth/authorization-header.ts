/** What a request's `Authorization` header says; `unreadable` is an unsupported scheme or encoding. */
export type Authorization =
  | { readonly kind: 'none' }
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'unreadable' };

const NONE: Authorization = { kind: 'none' };
const UNREADABLE: Authorization = { kind: 'unreadable' };
const SPACE = 0x20;
const SCHEME = /^(basic|bearer) +/i;

export function readAuthorization(header: string | undefined): Authorization {
  if (header === undefined) return NONE;
  // What nearly every request sends, without an expression. RFC 9110 section 11.4 lets several spaces follow the scheme.
  if (header.startsWith('Bearer ') && header.charCodeAt(7) !== SPACE) return { kind: 'bearer', token: header.slice(7) };
  const [prefix, scheme] = SCHEME.exec(header) ?? [];
  if (prefix === undefined || scheme === undefined) return UNREADABLE;
  const rest = header.slice(prefix.length);
  return scheme.toLowerCase() === 'bearer' ? { kind: 'bearer', token: rest } : readBasic(rest);
}

/** RFC 7617: the user name ends at the first colon, the password may have more of them; both are UTF-8. */
function readBasic(encoded: string): Authorization {
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon <= 0) return UNREADABLE;
  return { kind: 'basic', username: text.slice(0, colon), password: text.slice(colon + 1) };
}

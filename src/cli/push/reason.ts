export function readJson(body: Buffer): Record<string, unknown> {
  try {
    const value = JSON.parse(body.toString()) as unknown;
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** An answer of a registry, and of no proxy before it. */
export function isOciError(body: Buffer): boolean {
  const { errors } = readJson(body);
  return Array.isArray(errors) && errors.length > 0;
}

/** What an OCI registry, or Aerugo's management API, gives as the reason. */
export function reasonOf(body: Buffer): string | null {
  const { errors, detail, title } = readJson(body);
  const [first] = Array.isArray(errors) ? (errors as { code?: string; message?: string }[]) : [];
  if (first) return [first.code, first.message].filter(Boolean).join(': ');
  const reason = detail ?? title;
  return typeof reason === 'string' ? reason : null;
}

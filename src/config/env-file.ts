import { readFileSync } from 'node:fs';

/** A name and what follows its `=`: the inside of quotes, or the rest of the line. */
const ASSIGNMENT =
  /^[ \t]*(?:export[ \t]+)?([^\s=#][^=\n]*?)[ \t]*=(?:[ \t]*(?:'([^']*)'|"([^"]*)"|`([^`]*)`).*|(.*))$/gm;
const COMMENT = /[ \t]#.*$/;

/**
 * The variables of a file such as `.env`, as Node.js reads them, but for one thing: without quotes a `#` begins a comment
 * only after a space. So do shells and Docker Compose, which read the same file; Node.js would cut `PASSWORD=ab#cd`.
 */
export function parseEnvFile(text: string): Record<string, string> {
  const lines = text.replaceAll('\r', '').replace(/^\ufeff/, '');
  const variables = [...lines.matchAll(ASSIGNMENT)].map(([, name = '', single, double, back, rest = '']) => {
    const quoted = single ?? double?.replaceAll('\\n', '\n') ?? back;
    return [name, quoted ?? rest.replace(COMMENT, '').trim()] as const;
  });
  return Object.fromEntries(variables);
}

/** Adds the variables of a file to those of this process, which win. Throws what the file system does. */
export function loadEnvFile(path: string): void {
  for (const [name, value] of Object.entries(parseEnvFile(readFileSync(path, 'utf8')))) process.env[name] ??= value;
}

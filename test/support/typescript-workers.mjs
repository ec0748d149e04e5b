// Worker threads of the code under test: started from sources they need the compiler that jest uses for the others.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';

if (!isMainThread) {
  const { transformSync } = await import('@swc/core');
  const swc = JSON.parse(readFileSync(new URL('../../.swcrc', import.meta.url), 'utf8'));
  delete swc.$schema;
  registerHooks({
    // Sources import each other as `.js`, as Node wants it; here the file is `.ts`.
    resolve(specifier, context, next) {
      const isOfSource = specifier.startsWith('.') && context.parentURL?.endsWith('.ts');
      return next(isOfSource ? specifier.replace(/\.js$/, '.ts') : specifier, context);
    },
    load(url, context, next) {
      if (!url.endsWith('.ts')) return next(url, context);
      const filename = fileURLToPath(url);
      const { code } = transformSync(readFileSync(filename, 'utf8'), { ...swc, swcrc: false, filename });
      return { format: 'module', source: code, shortCircuit: true };
    },
  });
}

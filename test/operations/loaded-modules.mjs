// Given to a process with `--import`: it then writes a line of its log for each file of OpenTelemetry that it loads. Not of
// its interface, which other packages load too and which does nothing by itself.
import { registerHooks } from 'node:module';

registerHooks({
  load(url, context, nextLoad) {
    if (/\/@opentelemetry\/(?!api\/)|\/src\/operations\/tracing\//.test(url)) {
      process.stderr.write(`${JSON.stringify({ event: 'test.loaded', url })}\n`);
    }
    return nextLoad(url, context);
  },
});

import type { Span } from '@opentelemetry/api';
import { AwsInstrumentation } from '@opentelemetry/instrumentation-aws-sdk';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { RedisInstrumentation } from '@opentelemetry/instrumentation-redis';
import { UNASKED } from './clean-exporter.js';

/**
 * Makes spans of what PostgreSQL, Redis and S3 are asked. Each changes its package when that is loaded, so this comes
 * before. All three are CommonJS inside, also where they are imported: no loader of modules is needed.
 */
export function traceDependencies(): void {
  new PgInstrumentation({
    requireParentSpan: true,
    ignoreConnectSpans: true, // one for each statement, of next to no time; metrics say who waits
    requestHook: (span, { query }) => {
      nameStatement(span, query.text);
    },
  });
  // Without keys and values: the default shows the first argument of many commands.
  new RedisInstrumentation({ requireParentSpan: true, dbStatementSerializer: (command) => command });
  new AwsInstrumentation({
    responseHook: (span, { response }) => {
      // Signing a URL ends as if S3 had answered.
      const answer: unknown = response.data;
      if (typeof answer === 'object' && answer !== null && 'presigned' in answer) span.setAttribute(UNASKED, true);
    },
  });
}

/** A prepared statement is otherwise called by the name that this process has given it. */
function nameStatement(span: Span, text: string): void {
  const operation = /^\s*([a-z]+)/i.exec(text)?.[1]?.toUpperCase() ?? 'statement';
  span.updateName(`PostgreSQL ${operation}`);
  span.setAttribute('db.operation.name', operation);
}

import { type IdGenerator, RandomIdGenerator } from '@opentelemetry/sdk-trace';
import { firstSpanIdOf, traceIdOf } from './trace-names.js';

/** Random ids, but for the span that a named trace begins with. */
export class TraceIds implements IdGenerator {
  private readonly random = new RandomIdGenerator();
  private name: string | null = null;

  /** The one span that `start` makes begins the trace of that name. */
  within<T>(name: string, start: () => T): T {
    this.name = name;
    try {
      return start();
    } finally {
      this.name = null;
    }
  }

  generateTraceId(): string {
    return this.name === null ? this.random.generateTraceId() : traceIdOf(this.name);
  }

  generateSpanId(): string {
    return this.name === null ? this.random.generateSpanId() : firstSpanIdOf(this.name);
  }
}

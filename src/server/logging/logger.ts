import type { LoggerService } from '@nestjs/common';
import { pino, stdSerializers, type Level, type Logger } from 'pino';
import type { LogLevel } from '../../config/config-values.js';
import { StartupError } from '../../config/startup-error.js';
import { layOutForReading, logOutput } from './log-output.js';

/**
 * pino's own keeps every field of an error: of a failed statement the values too, and they are password hashes, of a
 * failed call to the store its headers.
 */
export const LOG_SERIALIZERS = {
  err: (error: Error): object => {
    const { type, message, stack } = stdSerializers.errWithCause(error);
    return { type, message, stack };
  },
};

/** JSON for machines; on a terminal the same, laid out for reading. Every line has the fields of `base`. */
export async function openLog(level: LogLevel, isTerminal: boolean, base: object | null = null): Promise<Logger> {
  if (isTerminal) await layOutForReading();
  // Not a destination of pino's own: everything that is written to stdout keeps its order.
  return pino({ level, base, serializers: LOG_SERIALIZERS }, logOutput());
}

/** Parts of Nest that tell of every module and route at each start. */
const TALKATIVE: ReadonlySet<unknown> = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/** What Nest and the modules say through `Logger`, in the lines of the log. */
export class NestLog implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write(TALKATIVE.has(rest.at(-1)) ? 'debug' : 'info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    // Nest tells of it and throws it again; the catcher logs it once, without a stack.
    if (message instanceof StartupError) return;
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  /** Nest puts the name of the speaker last, and a stack before it. */
  private write(level: Level, message: unknown, rest: readonly unknown[]): void {
    const context = rest.at(-1);
    const details = rest.slice(0, -1);
    const error = [message, ...details].find((part) => part instanceof Error);
    const stack = details.find((part) => typeof part === 'string');
    const fields = {
      context,
      ...(error === undefined ? {} : { err: error }),
      ...(stack === undefined ? {} : { stack }),
    };
    if (typeof message === 'object' && message !== null && !(message instanceof Error)) {
      this.logger[level]({ ...fields, ...message });
    } else {
      this.logger[level](fields, message instanceof Error ? message.message : String(message));
    }
  }
}

import { afterEach, describe, expect, it } from '@jest/globals';
import { readStandardVariables } from './standard-variables.js';

const before = { ...process.env };

afterEach(() => {
  process.env = { ...before };
});

function read(variables: Record<string, string>) {
  process.env = { ...before, ...variables };
  const { sampler, ...rest } = readStandardVariables();
  return { sampler: sampler.toString(), ...rest };
}

const PARENT = (root: string): RegExp => new RegExp(`^ParentBased\\{root=${root}[,}]`);

describe('the standard variables', () => {
  it('have the defaults of the specification', () => {
    const { sampler, ...rest } = read({});
    expect(sampler).toMatch(PARENT('AlwaysOnSampler'));
    expect(rest).toEqual({ batch: {}, limits: {}, followsClients: true, problems: [] });
  });

  it.each([
    ['always_off', /^AlwaysOffSampler/],
    ['traceidratio', /^TraceIdRatioBased\{0.25\}/],
    ['parentbased_traceidratio', PARENT('TraceIdRatioBased\\{0.25\\}')],
  ])('choose the sampler: %s', (name, sampler) => {
    const read25 = read({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: '0.25' });
    expect(read25.sampler).toMatch(sampler);
    expect(read25.problems).toEqual([]);
  });

  it('set batches and limits', () => {
    const variables = {
      OTEL_BSP_MAX_QUEUE_SIZE: '10',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_SPAN_EVENT_COUNT_LIMIT: '3',
    };
    expect(read(variables)).toMatchObject({
      batch: { maxQueueSize: 10, scheduledDelayMillis: 50 },
      limits: { eventCountLimit: 3 },
    });
  });

  it.each([
    ['none', false],
    ['baggage', false],
    ['tracecontext,baggage', true],
  ])('say whether clients are followed: %s', (names, follows) => {
    expect(read({ OTEL_PROPAGATORS: names })).toMatchObject({ followsClients: follows, problems: [] });
  });

  it('fall back to the default, and say so without the value', () => {
    const { sampler, problems } = read({
      OTEL_TRACES_SAMPLER: 'hunter22',
      OTEL_PROPAGATORS: 'b3,tracecontext',
      OTEL_BSP_MAX_QUEUE_SIZE: '-1',
    });
    expect(sampler).toMatch(PARENT('AlwaysOnSampler'));
    expect(problems).toEqual([
      'OTEL_TRACES_SAMPLER is not known, parentbased_always_on is used',
      'OTEL_BSP_MAX_QUEUE_SIZE must be more than 0, the default is used',
      'OTEL_PROPAGATORS: only tracecontext is followed',
    ]);
    const ratio = read({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '7' });
    expect(ratio).toMatchObject({
      sampler: 'TraceIdRatioBased{1}',
      problems: [expect.stringContaining('_ARG must be')],
    });
  });
});

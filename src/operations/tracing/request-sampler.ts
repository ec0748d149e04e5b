import { type Attributes, type Context, type Link, SpanKind, trace } from '@opentelemetry/api';
import { type Sampler, SamplingDecision, type SamplingResult } from '@opentelemetry/sdk-trace';

/**
 * Only requests begin a trace. What the node does by itself, and what goes on after an answer, is left out: it would
 * make a trace of its own every second, or appear in that of the request in which its timer was set.
 */
export class RequestSampler implements Sampler {
  constructor(private readonly wanted: Sampler) {}

  shouldSample(
    context: Context,
    traceId: string,
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): SamplingResult {
    if (kind !== SpanKind.SERVER && trace.getSpan(context)?.isRecording() !== true) {
      return { decision: SamplingDecision.NOT_RECORD };
    }
    return this.wanted.shouldSample(context, traceId, name, kind, attributes, links);
  }

  toString(): string {
    return `RequestSampler{${this.wanted.toString()}}`;
  }
}

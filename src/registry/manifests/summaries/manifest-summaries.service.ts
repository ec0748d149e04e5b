import { Injectable, Logger } from '@nestjs/common';
import { currentShare } from '../../../fairness/current-share.js';
import { NODE_SHARE } from '../../../fairness/share.js';
import type { Digest } from '../../../oci/digest.js';
import { annotationsOf } from '../../../oci/referrers.js';
import { ManifestParser } from '../../parsing/manifest-parser.service.js';
import { LARGE_MANIFEST, LargeManifests } from '../large-manifests.js';
import { type AnnotationsText, ManifestSummariesRepository } from './manifest-summaries.repository.js';
import { type ManifestSummary, summaryOf } from './manifest-summary.js';

/** Bytes of a manifest that is parsed for each who looks at it: that takes less than a millisecond. */
const PARSED_EACH_TIME = 32 * 1024;

export interface SummarizedRow {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  /** As they were kept; `null` until then. */
  readonly details: string | null;
  /** `null` with `details`, and for large manifests. */
  readonly bytes: Buffer | null;
}

/**
 * Summaries of manifests. A large manifest is parsed once and its summary stored: 250,000 annotations take a parser 0.9 s,
 * and every caller who may pull can repeat the request.
 */
@Injectable()
export class ManifestSummaries {
  private readonly logger = new Logger(ManifestSummaries.name);
  private readonly large = new LargeManifests();

  constructor(
    private readonly summaries: ManifestSummariesRepository,
    private readonly parser: ManifestParser,
  ) {}

  async of(repoId: number, row: SummarizedRow, signal: AbortSignal): Promise<ManifestSummary> {
    const kept = keptIn(row, row);
    if (kept) return kept;
    if (row.bytes) return this.read(repoId, row, row.bytes);
    const look = async (): Promise<ManifestSummary> => {
      const found = await this.summaries.unread(repoId, row.digest, row.details !== null);
      // Another request may have stored it while this one waited.
      return (found && keptIn(found, row)) ?? this.read(repoId, row, found?.bytes ?? Buffer.from('{}'));
    };
    if (row.size <= LARGE_MANIFEST) return look();
    return this.large.run(currentShare() ?? NODE_SHARE, row.size, signal, look);
  }

  private async read(
    repoId: number,
    { digest, mediaType, size }: SummarizedRow,
    bytes: Buffer,
  ): Promise<ManifestSummary> {
    const summary = summaryOf(await this.parser.parseStored(bytes, mediaType));
    if (size > PARSED_EACH_TIME)
      await this.keep('details', this.summaries.saveDetails(repoId, digest, JSON.stringify(summary)));
    return summary;
  }

  /** Annotations as JSON, by digest, of referrers pushed by a node of the version before and not read since. */
  async annotationsOf(
    repoId: number,
    rows: readonly { digest: Digest; bytes: Buffer | null }[],
  ): Promise<Map<Digest, string>> {
    const found: AnnotationsText[] = rows.flatMap(({ digest, bytes }) =>
      bytes === null ? [] : [{ digest, annotations: annotationsOf(bytes) }],
    );
    if (found.length > 0) await this.keep('annotations', this.summaries.saveAnnotations(repoId, found));
    return new Map(found.map(({ digest, annotations }) => [digest, annotations]));
  }

  /** After a failure the next request reads it again. */
  private async keep(what: string, saved: Promise<void>): Promise<void> {
    try {
      await saved;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.logger.warn({ error: text, what, message: 'the summary of a manifest could not be stored' });
    }
  }
}

/** `null` also for a manifest that was deleted and pushed again under another type. */
function keptIn(
  { details }: Pick<SummarizedRow, 'details'>,
  { mediaType }: Pick<SummarizedRow, 'mediaType'>,
): ManifestSummary | null {
  const kept = details === null ? null : (JSON.parse(details) as ManifestSummary);
  return kept?.mediaType === mediaType ? kept : null;
}

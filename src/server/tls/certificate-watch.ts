import type { Logger } from 'pino';
import type { TlsConfig } from '../../config/config-values.js';
import { StartupError } from '../../config/startup-error.js';
import { type CertificatePair, describeCertificate, ownCertificate, readCertificate } from './certificate.js';

/**
 * Both files are read again and compared: symbolic links that are turned (Kubernetes, certbot), renames and network
 * file systems give no events that one could rely on. Milliseconds.
 */
const LOOK_MS = 5_000;
const DAY_MS = 86_400_000;
/** A renewal has happened by then: seven days before the end, or in the last fifth of a short life. */
const MARGIN_MS = 7 * DAY_MS;
const MARGIN_PART = 5;
/** The first time may be between the writing of the one file and of the other. */
const LOOKS_UNTIL_COMPLAINT = 2;

/** The certificate that a node shows: as its files have it, but never one that does not work. */
export class CertificateWatch {
  private readonly timer: NodeJS.Timeout;
  private looking: Promise<void> | null = null;
  private failures = 0;
  private warnedAt = -Infinity;
  private show: ((pair: CertificatePair) => void) | null = null;

  private constructor(
    private readonly files: TlsConfig,
    private pair: CertificatePair,
    private readonly log: Logger,
  ) {
    this.timer = setInterval(() => void this.look(), LOOK_MS).unref();
    this.warnOfEnd();
  }

  /** Throws `StartupError`. */
  static async start(files: TlsConfig, log: Logger): Promise<CertificateWatch> {
    return new CertificateWatch(files, await readCertificate(files), log);
  }

  get current(): CertificatePair {
    return this.pair;
  }

  /** Calls `show` with the pair, now and whenever another takes its place. */
  follow(show: (pair: CertificatePair) => void): void {
    this.show = show;
    show(this.pair);
  }

  /** Looks at the files now; for an operator who does not wait, a problem is one at once. */
  reload(): void {
    this.failures = LOOKS_UNTIL_COMPLAINT - 1;
    void this.look();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): Promise<void> {
    return (this.looking ??= this.compare().finally(() => {
      this.looking = null;
    }));
  }

  private async compare(): Promise<void> {
    try {
      const found = await readCertificate(this.files);
      this.failures = 0;
      if (found.cert !== this.pair.cert || found.key !== this.pair.key) this.renew(found);
    } catch (error) {
      if (!(error instanceof StartupError)) throw error;
      this.failures += 1;
      if (this.failures === LOOKS_UNTIL_COMPLAINT) {
        this.log.warn(
          { event: 'tls.kept' },
          `the certificate before is kept, until this is corrected: ${error.message}`,
        );
      }
    }
    this.warnOfEnd();
  }

  private renew(pair: CertificatePair): void {
    this.pair = pair;
    this.warnedAt = -Infinity;
    this.show?.(pair);
    const description = describeCertificate(ownCertificate(pair.cert));
    this.log.info({ event: 'tls.renewed' }, `new connections get the new certificate: ${description}`);
  }

  private warnOfEnd(): void {
    const now = Date.now();
    const certificate = ownCertificate(this.pair.cert);
    const problem = problemOfTime(certificate, now);
    if (problem === null || now - this.warnedAt < DAY_MS) return;
    this.warnedAt = now;
    this.log.warn({ event: 'tls.expiry' }, `the certificate ${problem}: ${describeCertificate(certificate)}`);
  }
}

function problemOfTime(
  { validFromDate, validToDate }: { validFromDate: Date; validToDate: Date },
  now: number,
): string | null {
  const [from, to] = [validFromDate.getTime(), validToDate.getTime()];
  if (now < from) return 'is not valid yet';
  if (now > to) return 'has expired, and clients refuse it';
  return to - now < Math.min(MARGIN_MS, (to - from) / MARGIN_PART) ? 'expires soon, and was not renewed' : null;
}

import type { Logger } from 'pino';
import type { AppConfig } from '../config/config.js';
import { CertificateWatch } from './tls/certificate-watch.js';
import type { StopSignals } from './stop-signals.js';

/** `null` where the node speaks plain HTTP. Throws `StartupError`. */
export async function watchCertificate(
  { server }: AppConfig,
  log: Logger,
  signals: StopSignals,
): Promise<CertificateWatch | null> {
  if (server.tls === null) return null;
  const watch = await CertificateWatch.start(server.tls, log);
  signals.reloadOnHangUp(() => {
    watch.reload();
  });
  return watch;
}

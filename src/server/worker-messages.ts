import type { DropMessageToPrimary, DropMessageToWorker } from '../cache/drop-messages.js';
import type { ConfigValues } from '../config/config-values.js';
import type { FirstAdministrator } from './first-administrator.js';
import type { CertificatePair } from './tls/certificate.js';
import type { ProxyHint } from '../http/connections/proxy-hints.js';
import type { MetricsMessageToPrimary, MetricsMessageToWorker } from '../operations/metrics/metrics-messages.js';

/** What the primary tells a worker. The channel between them is theirs alone, so secrets may pass. */
export type MessageToWorker =
  | {
      readonly kind: 'start';
      readonly config: ConfigValues;
      readonly certificate: CertificatePair | null;
      readonly isLeaving: boolean;
    }
  /** The certificate has been renewed. */
  | { readonly kind: 'certificate'; readonly pair: CertificatePair }
  /** The node will stop: not ready any more, and everything is served as before. */
  | { readonly kind: 'leaving' }
  /** The port closes; no grace after a failure. */
  | { readonly kind: 'stop'; readonly graceSeconds: number }
  | { readonly kind: 'hurry' }
  | DropMessageToWorker
  | MetricsMessageToWorker;

export type MessageToPrimary =
  /** It hears; what it is sent from now on arrives. */
  | { readonly kind: 'hello' }
  /** `administrator` only from the first worker. */
  | { readonly kind: 'listening'; readonly administrator: FirstAdministrator }
  /** It ends, because it could not start; `reason` is for the operator. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** For the operator: the primary tells it once, whatever number of workers have seen it. */
  | { readonly kind: 'hint'; readonly hint: ProxyHint }
  | DropMessageToPrimary
  | MetricsMessageToPrimary;

/** The channel also carries messages of packages, which have no `kind`. */
export function isOwnMessage(message: unknown): message is { readonly kind: string } {
  return typeof message === 'object' && message !== null && 'kind' in message;
}

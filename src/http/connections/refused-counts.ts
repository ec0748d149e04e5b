import { declaredCounter } from '../declared-metrics.js';

/** What was refused before it was a request, by the reason. */
export const REFUSED_CONNECTIONS = declaredCounter(
  {
    name: 'aerugo_http_refused_requests_total',
    help: 'Connections refused before a request was read, by reason: its head was too large, late or not HTTP.',
    label: 'reason',
  },
  ['headersTooLarge', 'malformed', 'timeout', 'plainHttp', 'tlsHandshake', 'proxyProtocol', 'connectMethod'],
);

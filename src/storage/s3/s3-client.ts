import { S3Client } from '@aws-sdk/client-s3';
import type { Agent, AgentOptions } from 'node:http';
import type { S3Config } from '../../config/config-values.js';
import { agentFor, httpAgentFor, OutgoingHttpsAgent, type Trust } from '../../outgoing/agents.js';
import { DIRECT, type Proxies } from '../../outgoing/proxies.js';
import { StoreUnavailable } from '../storage-errors.js';
import { SILENCE_MS } from './call-limits.js';
import { isSilence } from './s3-errors.js';
import { abortAfterAnswer } from './abort-upload.js';
import { releasingReceived } from './release-received.js';
import { withIdleTimeout } from './idle-timeout.js';

const SOCKETS: AgentOptions = { keepAlive: true, maxSockets: Infinity };

/** How connections are made: through which proxy, and which authorities are believed. */
export interface Outgoing {
  readonly proxies: Proxies;
  readonly trust?: Trust;
}

/** Of the store as requests name it. */
export function addressOf({ bucket, pathStyle }: S3Config, endpoint: string): URL {
  const url = new URL(endpoint);
  if (!pathStyle) url.hostname = `${bucket}.${url.hostname}`;
  return url;
}

/** For requests to the endpoint that are not made by the SDK. */
export function probeAgent(config: S3Config, { proxies, trust }: Outgoing): Agent {
  return agentFor(addressOf(config, config.endpoint), proxies, {}, trust);
}

/**
 * A client of the endpoint given: the store's own for calls, the public one for URLs that clients get. It makes three
 * attempts, after random pauses of up to 50 and 100 ms (1 and 2 s when the store asks to slow down), and fewer while
 * many calls fail.
 */
export function createS3Client(
  config: S3Config,
  endpoint: string,
  outgoing: Outgoing = { proxies: DIRECT },
  watched: <A extends Agent>(agent: A) => A = (agent) => agent,
): S3Client {
  const { accessKey, secretKey } = config;
  return new S3Client({
    endpoint,
    region: config.region,
    forcePathStyle: config.pathStyle,
    // Without keys the SDK looks for them where the platform keeps them, and renews them.
    ...(accessKey !== null &&
      secretKey !== null && { credentials: { accessKeyId: accessKey, secretAccessKey: secretKey } }),
    // Other servers than Amazon's refuse the trailers that the SDK would add to every body.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Bodies of 2 MiB and more would wait seconds for servers that never answer 100.
    expectContinueHeader: false,
    maxAttempts: 3,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: 3_000,
      // A read that a slow client holds back is silent for as long as it likes.
      socketTimeout: 0,
      throwOnRequestTimeout: true,
      httpAgent: watched(releasingReceived(httpAgentFor(addressOf(config, endpoint), outgoing.proxies, SOCKETS))),
      httpsAgent: watched(releasingReceived(new OutgoingHttpsAgent(outgoing.proxies, SOCKETS, outgoing.trust))),
    },
  });
}

/** For calls that carry bytes: they end at the idle timeout, and are not tried again after it. */
export function createTransferClient(config: S3Config, endpoint: string, outgoing?: Outgoing): S3Client {
  const client = createS3Client(config, endpoint, outgoing, (agent) => withIdleTimeout(agent, SILENCE_MS));
  abortAfterAnswer(client);
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        if (!isSilence(error)) throw error;
        // Without its cause, by which the retries around this would know it.
        throw new StoreUnavailable('timeout', 'the object store stopped in the middle of a transfer');
      }
    },
    { step: 'finalizeRequest', priority: 'low', name: 'addIdleTimeout' },
  );
  return client;
}

// Fails unless the registry says that it and what it depends on are well.
import { readFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { json } from 'node:stream/consumers';

const { HEALTH_URL, HEALTH_CERTIFICATE } = process.env;
// The certificate is for the name that clients use, not for that of the Service: here it is the one of the Secret, or none.
const [own] = HEALTH_CERTIFICATE
  ? readFileSync(HEALTH_CERTIFICATE, 'utf8').split(/(?<=-----END CERTIFICATE-----)/)
  : [];
const trust = own ? { ca: own, allowPartialTrustChain: true, checkServerIdentity: () => undefined } : {};
const request = HEALTH_URL.startsWith('https:') ? secureRequest : plainRequest;
const response = await new Promise((resolve, reject) => {
  request(HEALTH_URL, { ...trust, signal: AbortSignal.timeout(10_000) }, resolve)
    .on('error', reject)
    .end();
});
const health = await json(response);
process.stdout.write(`${response.statusCode} ${JSON.stringify(health)}\n`);
process.exitCode = response.statusCode === 200 && health.status === 'ok' ? 0 : 1;

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { errorCode } from '../../config/error-code.js';
import { dockerConfigFile } from '../../config/read-config.js';
import { isJsonObject, type JsonObject, parseJsonObject } from '../../oci/json-document.js';
import { CliError } from '../exit-codes.js';

export interface Password {
  readonly username: string;
  readonly password: string;
}

/** What `docker login` keeps instead of the password, where the registry gives one: a refresh token. */
export interface IdentityToken {
  readonly identityToken: string;
}

export type Credentials = Password | IdentityToken;

/** The name under which a helper keeps an identity token. */
const TOKEN_USER = '<token>';
const HELPER = /^[\w.-]+$/;
const HELPER_MS = 30_000;
const JSON_DEPTH = 32;

/** What `docker login` keeps for the registry, in its file or with a credential helper; `null`: nothing. */
export async function dockerCredentials(host: string): Promise<Credentials | null> {
  const config = await readDockerConfig();
  if (config === null) return null;
  const { credHelpers, credsStore, auths } = config;
  const helper = (isJsonObject(credHelpers) ? credHelpers[host] : undefined) ?? credsStore;
  if (typeof helper === 'string' && helper !== '') {
    const found = await askHelper(helper, host);
    if (found) return found;
  }
  if (!isJsonObject(auths)) return null;
  const entry = [host, `https://${host}`, `http://${host}`].map((key) => auths[key]).find(isJsonObject);
  return entry === undefined ? null : credentialsOf(entry);
}

async function readDockerConfig(): Promise<JsonObject | null> {
  const file = dockerConfigFile();
  try {
    return parseJsonObject(await readFile(file), JSON_DEPTH);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw new CliError(`cannot read ${file}: correct it, or log in with --username`, 1, { cause: error });
  }
}

function credentialsOf({ auth, username, password, identitytoken: identityToken }: JsonObject): Credentials | null {
  if (typeof identityToken === 'string' && identityToken !== '') return { identityToken };
  if (typeof auth === 'string' && auth !== '') {
    const text = Buffer.from(auth, 'base64').toString();
    const colon = text.indexOf(':');
    if (colon > 0) return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') };
  }
  return asPassword(username, password);
}

/** The protocol of `docker-credential-*`: the host on stdin, one JSON object back. */
function askHelper(name: string, host: string): Promise<Credentials | null> {
  if (!HELPER.test(name)) throw new CliError('the docker configuration names no valid credential helper');
  return new Promise((resolve, reject) => {
    const program = `docker-credential-${name}`;
    const child = execFile(program, ['get'], { timeout: HELPER_MS }, (error, stdout) => {
      if (error !== null && errorCode(error) === 'ENOENT') {
        reject(new CliError(`${program} is not installed, and the docker configuration names it`));
      } else resolve(error === null ? readHelper(stdout) : null);
    });
    child.stdin?.on('error', () => undefined).end(host);
  });
}

function readHelper(text: string): Credentials | null {
  const { Username: username, Secret: password } = parseJsonObject(Buffer.from(text), JSON_DEPTH);
  return username === TOKEN_USER && typeof password === 'string'
    ? { identityToken: password }
    : asPassword(username, password);
}

function asPassword(username: unknown, password: unknown): Password | null {
  return typeof username === 'string' && typeof password === 'string' ? { username, password } : null;
}

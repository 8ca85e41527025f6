// Test steps: each prints `ok NAME` or `FAIL NAME why`; the process ends with 1 if one failed.
import { runningInstallation } from './installation.mjs';
import { ClientSecretCredential } from '@azure/identity';
import { KeyClient } from '@azure/keyvault-keys';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import https from 'node:https';

/** How many times slower than usual the program is: sanitized builds have SLOWNESS set, and time limits follow it. */
export const slowness = Number(process.env.SLOWNESS ?? 1);

let failed = 0;
let prefix = '';

/** Names the suite in its steps' names. */
export function suite(name) {
  prefix = `${process.env.STRONGROOM_SUITE ?? 'sdk'}.${name}.`;
}
/** Runs one step, for at most `seconds` (of a program of usual speed); STEPS=word in the environment runs only those that have the
 * word in their names. */
export async function step(name, work, seconds = 120) {
  if (process.env.STEPS && !name.includes(process.env.STEPS)) return;
  let timer;
  seconds *= slowness;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`took more than ${seconds} s`)), seconds * 1000); });
  try {
    await Promise.race([work(), late]);
    console.log(`ok ${prefix}${name}`);
  } catch (error) {
    failed++;
    console.log(`FAIL ${prefix}${name} ${error?.code ?? ''} ${error?.statusCode ?? ''} ${String(error?.message ?? error).replace(/\s+/g, ' ').slice(0, 500)}`);
    if (process.env.DEBUG) console.error(error);
  } finally {
    clearTimeout(timer);
  }
}
export function finish() {
  process.exit(failed ? 1 : 0);
}
export function must(condition, what) {
  if (!condition) throw new Error(`expected: ${what}`);
}
export function equal(got, want, what = '') {
  if (got !== want) throw new Error(`${what}: got ${JSON.stringify(got)}, expected ${JSON.stringify(want)}`);
}
/** The error that a promise or function ends with; checks status and code where they are given. */
export async function refused(work, status, code) {
  let error;
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (caught) {
    error = caught;
  }
  if (!error) throw new Error(`expected a refusal with ${status} ${code ?? ''}`);
  const gotCode = error.code ?? error.details?.error?.code ?? error.response?.headers?.get?.('x-ms-error-code');
  if (status && error.statusCode !== status) throw new Error(`expected status ${status}, got ${error.statusCode}: ${error.message?.slice(0, 200)}`);
  if (code && gotCode !== code && error.details?.errorCode !== code) throw new Error(`expected code ${code}, got ${gotCode}`);
  return error;
}
export const installation = process.env.STRONGROOM_TEST ? runningInstallation() : undefined;
export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
export const unique = () => Math.random().toString(36).slice(2, 10);

export function credential(overrides = {}) {
  const { client } = installation;
  return new ClientSecretCredential(overrides.tenant ?? client.tenant, overrides.clientId ?? client.clientId, overrides.secret ?? client.clientSecret,
    { authorityHost: client.authority, disableInstanceDiscovery: true, retryOptions: { maxRetries: 0 } });
}
export function keyClient(cred = credential()) {
  return new KeyClient(installation.client.vaultUrl, cred, { disableChallengeResourceVerification: true, retryOptions: { maxRetries: 0 } });
}
/** A client of an account; `account` is what `account create` printed. */
export function blobService(account, cred) {
  return new BlobServiceClient(`${installation.client.blobEndpoint}/${account.name}`, cred ?? new StorageSharedKeyCredential(account.name, account.key1),
    { retryOptions: { maxTries: 1 } });
}
/** One raw HTTPS request; gives status, headers and body text. `ca` where it is not of the running installation. */
export function raw(origin, { method = 'GET', path = '/', headers = {}, body, ca } = {}) {
  return new Promise((resolve, reject) => {
    const request = https.request(origin, { method, path, headers, ca, agent: false }, (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces).toString() }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

// The rates of unwrapKey over TLS, with the token checked and the audit entry durable: of a key in software beside `openssl speed`, and of
// one in a PKCS#11 token beside a bare loop on the same module. The client, wrk, runs on the same cores.
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { module } from '../sdk/softhsm.mjs';

const cores = String(os.cpus().length);

/** A wrk script that posts one body again and again. */
function postScript(dir, name, token, body) {
  const file = path.join(dir, name);
  fs.writeFileSync(file, `wrk.method = "POST"\nwrk.body = ${JSON.stringify(body)}\nwrk.headers["Authorization"] = "Bearer ${token}"\nwrk.headers["Content-Type"] = "application/json"\n`);
  return file;
}

/** The request that unwraps 32 bytes with a key. */
export function unwrapRequest(key, dir, token) {
  const publicKey = crypto.createPublicKey({ format: 'jwk', key: { kty: 'RSA', n: Buffer.from(key.key.n).toString('base64url'), e: Buffer.from(key.key.e).toString('base64url') } });
  const value = crypto.publicEncrypt({ key: publicKey, oaepHash: 'sha256' }, crypto.randomBytes(32)).toString('base64url');
  return { url: `${key.id}/unwrapkey?api-version=7.4`, script: postScript(dir, `${key.name}.lua`, token, JSON.stringify({ alg: 'RSA-OAEP-256', value })) };
}

/** RSA-2048 private operations of all cores per second, by OpenSSL's own measure. */
export function opensslRate(seconds) {
  const output = execFileSync('openssl', ['speed', '-seconds', String(seconds), '-multi', cores, 'rsa2048'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return Number(/^rsa 2048 bits\s+\S+\s+\S+\s+([\d.]+)/m.exec(output)[1]);
}

/** The same by two threads that only call the module. */
export function loopRate(program, token, seconds) {
  return Number(execFileSync(path.join(path.dirname(program), '..', '..', 'tests', 'bench', 'pkcs11_loop'), [module, token.label, token.pin, String(seconds), '2'], { encoding: 'utf8', env: { ...process.env, SOFTHSM2_CONF: token.config } }));
}

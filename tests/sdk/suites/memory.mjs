// What the vault's memory holds of keys and secrets: nothing once they are purged, and nothing at all once the vault is sealed.
import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { Installation } from '../installation.mjs';
import { findInMemory } from '../memory.mjs';
import { suite, step, finish, must, equal, installation, sleep } from '../steps.mjs';

suite('memory');
if (process.getuid() !== 0) {
  console.log(`skip ${process.env.STRONGROOM_SUITE ?? 'sdk'}.memory (only root can read another process's memory)`);
  finish();
}
const own = await new Installation(installation.binary).init();
process.once('exit', () => own.remove());
await own.serve();
const { client } = own;
const agent = new https.Agent({ keepAlive: true, maxSockets: 4, ca: fs.readFileSync(client.caFile) });

function send(url, { method = 'GET', headers = {}, body = '' } = {}) {
  return new Promise((resolve, reject) => {
    const request = https.request(url, { method, agent, headers: { ...headers, 'content-length': Buffer.byteLength(body) } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => { text += piece; });
      response.on('end', () => resolve({ status: response.statusCode, answer: text ? JSON.parse(text) : {} }));
    });
    request.on('error', reject);
    request.end(body);
  });
}
const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: client.clientId, client_secret: client.clientSecret, scope: 'https://vault.azure.net/.default' }).toString();
const { answer: { access_token: token } } = await send(`${client.authority}/${client.tenant}/oauth2/v2.0/token`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: form });
async function ask(method, target, body, wanted = 200) {
  const { status, answer } = await send(`${client.vaultUrl}${target}?api-version=7.4`, { method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
  equal(status, wanted, `${method} ${target}: ${JSON.stringify(answer).slice(0, 200)}`);
  return answer;
}

/** What a number or a value could lie about as: its bytes, OpenSSL's words (the other way round), Base64 of both alphabets as sent, hex; the middle of each. */
function forms(name, bytes) {
  const middle = (all) => all.subarray(all.length >> 2, (all.length >> 2) + Math.min(24, all.length >> 1));
  const texts = { base64url: bytes.toString('base64url'), base64: bytes.toString('base64'), hex: bytes.toString('hex') };
  return { [name]: middle(bytes), [`${name} as words`]: middle(Buffer.from(bytes).reverse()),
    ...Object.fromEntries(Object.entries(texts).map(([form, text]) => [`${name} in ${form}`, middle(Buffer.from(text))])) };
}
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'];
const needlesOf = (name, jwk) => Object.assign({}, ...privateMembers.filter((member) => jwk[member]).map((member) => forms(`${name}.${member}`, Buffer.from(jwk[member], 'base64url'))));

/** A key pair with a self-signed certificate, both as PEM. */
function pemOf() {
  const file = path.join(own.state, 'run', 'memory.pem');
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', file, '-out', `${file}.crt`, '-subj', '/CN=memory', '-days', '30'], { stdio: 'ignore' });
  const pem = fs.readFileSync(file, 'utf8') + fs.readFileSync(`${file}.crt`, 'utf8');
  fs.rmSync(file);
  fs.rmSync(`${file}.crt`);
  return pem;
}

/** Makes and uses one of each under names that begin with `prefix`; gives what to look for. */
async function made(prefix) {
  const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  const oct = { kty: 'oct', k: crypto.randomBytes(32).toString('base64url') };
  const value = crypto.randomBytes(300).toString('base64url');
  const large = crypto.randomBytes(15000).toString('base64url');
  const pem = pemOf();
  const digest = crypto.randomBytes(32).toString('base64url');
  for (const [kty, jwk] of Object.entries({ rsa, ec, oct })) await ask('PUT', `/keys/${prefix}-${kty}`, { key: jwk });
  await ask('PUT', `/secrets/${prefix}-secret`, { value });
  await ask('PUT', `/secrets/${prefix}-large`, { value: large });
  await Promise.all([...Array(8)].map(() => ask('GET', `/secrets/${prefix}-large`)));
  await ask('POST', `/certificates/${prefix}-certificate/import`, { value: pem, policy: { secret_props: { contentType: 'application/x-pem-file' } } });
  for (let i = 0; i < 6; i++) {
    await ask('POST', `/keys/${prefix}-rsa/sign`, { alg: 'RS256', value: digest });
    await ask('POST', `/keys/${prefix}-ec/sign`, { alg: 'ES256', value: digest });
    const { value: wrapped } = await ask('POST', `/keys/${prefix}-oct/wrapkey`, { alg: 'A256KW', value: digest });
    await ask('POST', `/keys/${prefix}-oct/unwrapkey`, { alg: 'A256KW', value: wrapped });
    const sealed = await ask('POST', `/keys/${prefix}-oct/encrypt`, { alg: 'A256GCM', value: digest });
    await ask('POST', `/keys/${prefix}-oct/decrypt`, { alg: 'A256GCM', ...sealed, kid: undefined });
    equal((await ask('GET', `/secrets/${prefix}-secret`)).value, value, 'the secret');
    await ask('GET', `/secrets/${prefix}-certificate`);
    await ask('POST', `/keys/${prefix}-certificate/sign`, { alg: 'PS256', value: digest });
  }
  const backup = (await ask('POST', `/keys/${prefix}-rsa/backup`, {})).value;
  must(backup.length > 100, 'a backup');
  await ask('POST', `/secrets/${prefix}-secret/backup`, {});
  await ask('POST', `/certificates/${prefix}-certificate/backup`, {});
  return { ...needlesOf('rsa', rsa), ...needlesOf('ec', ec), ...needlesOf('oct', oct), ...forms('secret', Buffer.from(value)),
    ...Object.fromEntries([0, 5000, 9999, 15000, 19900].map((at) => [`large secret at ${at}`, Buffer.from(large.slice(at, at + 40))])),
    ...needlesOf('certificate', crypto.createPrivateKey(pem).export({ format: 'jwk' })), 'certificate PEM': Buffer.from(pem.split('\n')[8]) };
}
function mustBeGone(needles) {
  const found = findInMemory(own.pids().vault, needles);
  must(found.length === 0, `nothing: ${found.length} found, ${found.slice(0, Number(process.env.FOUND ?? 4)).join('; ')}`);
}

await step('what_is_purged_is_gone_from_memory', async () => {
  const needles = await made('purged');
  const live = ['rsa.d as words', 'ec.d as words', 'certificate.p as words']; // OpenSSL's numbers, as long as the keys are open
  for (const name of live) must(findInMemory(own.pids().vault, { [name]: needles[name] }).length > 0, `${name} is found while the key is in use: the search can find`);
  for (const [collection, name] of [['keys', 'purged-rsa'], ['keys', 'purged-ec'], ['keys', 'purged-oct'], ['secrets', 'purged-secret'], ['secrets', 'purged-large'], ['certificates', 'purged-certificate']]) {
    await ask('DELETE', `/${collection}/${name}`);
    await ask('DELETE', `/deleted${collection}/${name}`, undefined, 204);
  }
  mustBeGone(needles);
});
await step('what_is_deleted_is_gone_from_memory', async () => {
  const needles = await made('deleted');
  for (const [collection, name] of [['keys', 'deleted-rsa'], ['keys', 'deleted-ec'], ['keys', 'deleted-oct'], ['secrets', 'deleted-secret'], ['secrets', 'deleted-large'], ['certificates', 'deleted-certificate']]) await ask('DELETE', `/${collection}/${name}`);
  mustBeGone(needles);
});
await step('a_sealed_vault_holds_no_key', async () => {
  const needles = await made('sealed');
  own.run(['seal', '--yes']);
  await sleep(1500);
  const root = /([0-9a-f]{64})/.exec(fs.readFileSync(path.join(own.state, 'root', 'root.key'), 'latin1'))[1];
  mustBeGone({ ...needles, ...forms('root', Buffer.from(root, 'hex')) });
});
await own.stop();
finish();

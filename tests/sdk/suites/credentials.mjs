// Every way to prove who one is, by the official credential classes: certificates and outside issuers' tokens; people by device
// code; and what ends with the credential.
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { ClientAssertionCredential, ClientCertificateCredential, WorkloadIdentityCredential } from '@azure/identity';
import { suite, step, finish, must, equal, refused, installation, keyClient, blobService, raw, sleep, slowness, unique } from '../steps.mjs';

suite('credentials');
const { client } = installation;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-credentials-'));
process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
const options = { authorityHost: client.authority, disableInstanceDiscovery: true, retryOptions: { maxRetries: 0 } };
const VAULT = 'https://vault.azure.net/.default';
const STORAGE = 'https://storage.azure.com/.default';
const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());
const claimsOf = (token) => decode(token.split('.')[1]);
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const roles = ['Key Vault Crypto Officer', 'Storage Blob Data Owner'];

/** A principal with both roles. */
function newPrincipal(name) {
  const made = installation.json(['principal', 'create', `${name}-${unique()}`, '--role', roles[0]]);
  installation.run(['identity', 'assignment', 'create', made.objectId, roles[1]], { allowFailure: true });
  return made;
}
const account = installation.json(['account', 'create', `cred${unique()}`]);
await blobService(account).getContainerClient('data').create();
await blobService(account).getContainerClient('data').getBlockBlobClient('b').upload('x', 1);
const keyName = `cred-${unique()}`;
await keyClient().createRsaKey(keyName);

/** Vault's and blob's answers to a credential's tokens: 'ok', or the status of the refusal. */
async function answers(cred) {
  const tokens = await Promise.all([cred.getToken(VAULT), cred.getToken(STORAGE)]);
  return () => Promise.all([
    raw(client.vaultUrl, { path: `/keys/${keyName}?api-version=7.4`, headers: { authorization: `Bearer ${tokens[0].token}` } }),
    raw(client.blobEndpoint, { path: `/${account.name}/data?restype=container&comp=list`, headers: { authorization: `Bearer ${tokens[1].token}`, 'x-ms-version': '2024-08-04' } }),
  ]).then((both) => both.map((answer) => answer.status));
}
/** Both services take the tokens now, and refuse them a second after `take`. */
async function endsWith(cred, take) {
  const ask = await answers(cred);
  const before = await ask();
  must(before.every((status) => status !== 401), `the tokens are taken (${before})`);
  take();
  await sleep(1000 * slowness);
  equal(String(await ask()), '401,401', 'vault and blob a second later');
}

/** A self-signed certificate by openssl: certificate and key in one PEM. */
function newCertificate(kind = ['-newkey', 'rsa:2048']) {
  const name = path.join(folder, unique());
  execFileSync('openssl', ['req', '-x509', ...kind, '-nodes', '-keyout', `${name}.key`, '-out', `${name}.crt`, '-days', '2', '-subj', '/CN=client'], { stdio: 'ignore' });
  fs.writeFileSync(`${name}.pem`, fs.readFileSync(`${name}.key`, 'utf8') + fs.readFileSync(`${name}.crt`, 'utf8'));
  return { both: `${name}.pem`, certificate: `${name}.crt`, key: fs.readFileSync(`${name}.key`, 'utf8'), der: new crypto.X509Certificate(fs.readFileSync(`${name}.crt`)).raw };
}
const assertionOf = (clientId, certificate, { alg = 'RS256', header = {}, claims = {} } = {}) => {
  const now = Math.floor(Date.now() / 1000);
  const input = `${encode({ alg, typ: 'JWT', x5t: crypto.createHash('sha1').update(certificate.der).digest('base64url'), ...header })}.${encode({
    aud: `${client.authority}/${client.tenant}/oauth2/v2.0/token`, iss: clientId, sub: clientId, jti: crypto.randomUUID(), nbf: now, exp: now + 600, ...claims })}`;
  const key = { key: certificate.key, dsaEncoding: 'ieee-p1363', ...(alg === 'PS256' ? { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {}) };
  return `${input}.${crypto.sign('sha256', Buffer.from(input), key).toString('base64url')}`;
};
const post = (fields, at = 'oauth2/v2.0/token') => raw(client.authority, { method: 'POST', path: `/${client.tenant}/${at}`, headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams(fields).toString() }).then((answer) => ({ status: answer.status, ...JSON.parse(answer.body) }));

await step('certificate_credential_by_sha256_thumbprint', async () => {
  const principal = newPrincipal('certificate');
  const certificate = newCertificate();
  installation.run(['identity', 'principal', 'add-certificate', principal.name, certificate.certificate]);
  for (const sendCertificateChain of [false, true]) {
    const cred = new ClientCertificateCredential(client.tenant, principal.clientId, { certificatePath: certificate.both }, { ...options, sendCertificateChain });
    equal(claimsOf((await cred.getToken(VAULT)).token).appidacr, '2', 'appidacr');
    equal(claimsOf((await cred.getToken(STORAGE)).token).oid, principal.objectId, 'oid');
    equal((await keyClient(cred).getKey(keyName)).name, keyName, 'the vault takes it');
  }
});
await step('assertion_credential_by_sha1_thumbprint_and_by_ec', async () => {
  const principal = newPrincipal('assertion');
  for (const [kind, alg] of [[undefined, 'RS256'], [undefined, 'PS256'], [['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], 'ES256']]) {
    const certificate = newCertificate(kind);
    installation.run(['identity', 'principal', 'add-certificate', principal.name, certificate.certificate]);
    const cred = new ClientAssertionCredential(client.tenant, principal.clientId, async () => assertionOf(principal.clientId, certificate, { alg }), options);
    equal(claimsOf((await cred.getToken(VAULT)).token).oid, principal.objectId, alg);
  }
  equal(installation.json(['identity', 'principal', 'credentials', principal.name]).certificates.length, 3, 'listed');
});
await step('refused_assertions_have_entras_numbers', async () => {
  const principal = newPrincipal('refused');
  const certificate = newCertificate();
  installation.run(['identity', 'principal', 'add-certificate', principal.name, certificate.certificate]);
  const ask = (assertion) => post({ grant_type: 'client_credentials', client_id: principal.clientId, scope: VAULT,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: assertion });
  for (const [assertion, code] of [
    [assertionOf(principal.clientId, newCertificate()), 700027],
    [assertionOf(principal.clientId, certificate, { claims: { aud: 'https://elsewhere' } }), 700023],
    [assertionOf(principal.clientId, certificate, { claims: { exp: 1 } }), 700024],
    [assertionOf(client.clientId, certificate, {}), 700021],
    ['no.jwt', 50027],
  ]) {
    const answer = await ask(assertion);
    equal(answer.status, 401, String(code));
    equal(answer.error, 'invalid_client', String(code));
    equal(answer.error_codes[0], code, answer.error_description);
  }
  equal((await ask(assertionOf(principal.clientId, certificate))).status, 200, 'the true one');
});
await step('tokens_end_with_a_certificate', async () => {
  const principal = newPrincipal('ends');
  const certificate = newCertificate();
  const { certificateId } = installation.json(['identity', 'principal', 'add-certificate', principal.name, certificate.certificate]);
  const cred = new ClientCertificateCredential(client.tenant, principal.clientId, { certificatePath: certificate.both }, options);
  await endsWith(cred, () => installation.run(['identity', 'principal', 'remove-certificate', principal.name, certificateId]));
  await refused(new ClientCertificateCredential(client.tenant, principal.clientId, { certificatePath: certificate.both }, options).getToken(VAULT));
});
await step('tokens_end_with_a_secret_and_others_stay', async () => {
  const principal = newPrincipal('secrets');
  const { ClientSecretCredential } = await import('@azure/identity');
  const second = installation.json(['identity', 'principal', 'add-secret', principal.name]);
  const old = new ClientSecretCredential(client.tenant, principal.clientId, principal.secret, options);
  const fresh = await answers(new ClientSecretCredential(client.tenant, principal.clientId, second.secret, options));
  await endsWith(old, () => installation.run(['identity', 'principal', 'remove-secret', principal.name, principal.secretId]));
  must((await fresh()).every((status) => status !== 401), 'what the other secret got is still taken');
});

const issuer = 'https://kubernetes.default.svc.cluster.local';
const { publicKey, privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwks = path.join(folder, 'jwks.json');
fs.writeFileSync(jwks, JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k8s', use: 'sig', alg: 'RS256' }] }));
function serviceAccountToken(subject, claims = {}) {
  const now = Math.floor(Date.now() / 1000);
  const input = `${encode({ alg: 'RS256', kid: 'k8s' })}.${encode({ aud: ['api://AzureADTokenExchange'], iss: issuer, sub: subject, iat: now, nbf: now, exp: now + 3600,
    'kubernetes.io': { namespace: 'train', serviceaccount: { name: 'runner' } }, ...claims })}`;
  return `${input}.${crypto.sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
}
await step('workload_identity_by_a_token_file', async () => {
  const principal = newPrincipal('workload');
  const subject = 'system:serviceaccount:train:runner';
  const tokenFilePath = path.join(folder, 'token');
  fs.writeFileSync(tokenFilePath, serviceAccountToken(subject));
  const fresh = () => new WorkloadIdentityCredential({ tenantId: client.tenant, clientId: principal.clientId, tokenFilePath, ...options });
  must((await refused(fresh().getToken(VAULT))).message.includes('AADSTS700211'), 'not registered: AADSTS700211');
  installation.run(['identity', 'federation', 'set', issuer, '--jwks', jwks]);
  const { credentialId } = installation.json(['identity', 'principal', 'add-federated', principal.name, '--issuer', issuer, '--subject', subject]);
  const cred = fresh();
  equal(claimsOf((await cred.getToken(VAULT)).token).oid, principal.objectId, 'oid');
  fs.writeFileSync(tokenFilePath, serviceAccountToken('system:serviceaccount:train:other'));
  must((await refused(fresh().getToken(VAULT))).message.includes('AADSTS700213'), 'another subject: AADSTS700213');
  await endsWith(cred, () => installation.run(['identity', 'principal', 'remove-federated', principal.name, credentialId]));
});
finish();

// Every way to prove who one is, by the official credential classes: certificates and outside issuers' tokens; people by device
// code; and what ends with the credential.
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { ClientAssertionCredential, ClientCertificateCredential, DeviceCodeCredential, WorkloadIdentityCredential } from '@azure/identity';
import { words } from '../canary.mjs';
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
  installation.run(['identity', 'assignment', 'create', '--assignee', made.objectId, '--role', roles[1]]);
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
  equal(String(before), '200,200', 'the tokens are taken');
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
  equal(String(await fresh()), '200,200', 'what the other secret got is still taken');
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
await step('tokens_end_with_the_principal_whatever_proved_it', async () => {
  const certificate = newCertificate();
  const subject = 'system:serviceaccount:train:ends';
  installation.run(['identity', 'federation', 'set', issuer, '--jwks', jwks]);
  const principal = newPrincipal('principal');
  installation.run(['identity', 'principal', 'add-certificate', principal.name, certificate.certificate]);
  installation.run(['identity', 'principal', 'add-federated', principal.name, '--issuer', issuer, '--subject', subject]);
  const federated = await answers(new ClientAssertionCredential(client.tenant, principal.clientId, async () => serviceAccountToken(subject), options));
  const certified = new ClientCertificateCredential(client.tenant, principal.clientId, { certificatePath: certificate.both }, options);
  await endsWith(certified, () => installation.run(['principal', 'disable', principal.objectId]));
  equal(String(await federated()), '401,401', 'by the outside token too');
  installation.run(['identity', 'federation', 'remove', issuer]);
});
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

// People. A browser without scripts, as far as the page needs one: cookies, hidden fields, forms.
const AZ = '04b07795-8ddb-461a-bbee-02f9e1bf7b46';
class Browser {
  cookie = '';
  async go(method, fields, headers = {}) {
    const body = fields && new URLSearchParams({ form_token: this.token, ...fields }).toString();
    const answer = await raw(client.authority, { method, path: '/devicelogin', body, headers: { cookie: this.cookie, ...(body ? { 'content-type': 'application/x-www-form-urlencoded', origin: client.authority } : {}), ...headers } });
    for (const set of answer.headers['set-cookie'] ?? []) this.cookie = set.split(';')[0];
    this.headers = answer.headers;
    this.page = answer.body;
    this.status = answer.status;
    if (process.env.DEBUG) console.error(`${method} ${JSON.stringify(fields ?? {})} ${answer.status} ${answer.body.replace(/<style>.*<.style>/s, '')}`);
    this.token = /name="form_token" value="([^"]+)"/.exec(answer.body)?.[1] ?? '';
    this.title = /<h1>(.*?)<\/h1>/.exec(answer.body)?.[1];
    this.error = /role="alert">(.*?)<\/p>/.exec(answer.body)?.[1];
    return this;
  }
  open() { return this.go('GET'); }
  send(step, fields, headers) { return this.go('POST', { step, ...fields }, headers); }
}
const choose = words.password;
/** Signs in on the page and decides; changes the first password on the way. */
async function decide(userCode, person, decision) {
  const browser = await new Browser().open();
  await browser.send('code', { user_code: userCode.toLowerCase() });
  equal(browser.title, 'Sign in', browser.error);
  await browser.send('sign-in', { user_name: person.userName, password: person.password });
  if (browser.title === 'Choose a new password') {
    await browser.send('change', { new_password: choose, again: choose });
    person.password = choose;
  }
  equal(browser.title, 'Do you approve?', browser.error);
  await browser.send('decide', { decision });
  return browser;
}
function newPerson(name) {
  const person = installation.json(['identity', 'user', 'create', `${words.person}-${name}-${unique()}@example.org`, '--display', words.person, '--role', roles[0]]);
  installation.run(['identity', 'assignment', 'create', '--assignee', person.userName, '--role', roles[1]]);
  return person;
}
const deviceCode = (scope = `${VAULT} openid profile offline_access`) => post({ client_id: AZ, scope }, 'oauth2/v2.0/devicecode');
const redeem = (code) => post({ grant_type: 'urn:ietf:params:oauth:grant-type:device_code', client_id: AZ, device_code: code, client_info: '1' });
const refresh = (token, scope = `${VAULT} openid offline_access`, id = AZ) => post({ grant_type: 'refresh_token', client_id: id, refresh_token: token, scope });
/** A sign-in by device code without MSAL. */
async function signIn(person) {
  const codes = await deviceCode();
  await decide(codes.user_code, person, 'approve');
  return redeem(codes.device_code);
}

equal((await deviceCode()).error_codes?.[0], 700016, 'an application that was not allowed');
installation.run(['identity', 'client', 'allow', 'az']);
const slow = []; // steps that wait for clients which take their time: the others go on meanwhile
slow.push(step('device_code_credential_signs_a_person_in_and_renews_silently', async () => {
  const person = newPerson('ada');
  let decided;
  const cred = new DeviceCodeCredential({ ...options, tenantId: client.tenant, userPromptCallback: (info) => { decided = decide(info.userCode, person, 'approve'); } });
  const first = await cred.getToken(VAULT);
  equal((await decided).title, 'The device is signed in', 'the page');
  const claims = claimsOf(first.token);
  equal(claims.oid, person.objectId, 'oid');
  equal(claims.idtyp, 'user', 'idtyp');
  equal(claims.appid, AZ, 'appid');
  equal(claims.preferred_username, person.userName, 'preferred_username');
  equal((await keyClient(cred).getKey(keyName)).name, keyName, 'the vault takes it');
  decided = undefined;
  equal(claimsOf((await cred.getToken(STORAGE)).token).oid, person.objectId, 'another resource');
  equal(decided, undefined, 'by refresh token, without asking again');
}));
await step('the_page_shows_who_asks_and_takes_no_forged_form', async () => {
  const person = newPerson('page');
  const codes = await deviceCode();
  const browser = await new Browser().open();
  must(/^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/.test(browser.headers['content-security-policy']), 'policy');
  const style = /<style>(.*?)<\/style>/s.exec(browser.page)[1];
  must(browser.headers['content-security-policy'].includes(crypto.createHash('sha256').update(style).digest('base64')), 'the policy is for this style');
  must(!/<script|src=|href=|javascript:| on\w+=/i.test(browser.page), 'no script, nothing from elsewhere');
  must(/Secure; HttpOnly; SameSite=Strict/.test(browser.headers['set-cookie'][0]), 'cookie');
  const { cookie, token } = browser;
  await browser.send('code', { user_code: 'BBBB-BBBB' });
  must(browser.error.startsWith('No sign-in waits'), 'an unknown code');
  await browser.send('decide', { decision: 'approve' });
  equal(browser.status, 400, 'a step out of order');
  await new Browser().go('POST', { step: 'code', user_code: codes.user_code }).then((answer) => equal(answer.status, 403, 'without cookie and token'));
  const thief = Object.assign(new Browser(), { cookie, token });
  equal((await thief.send('code', { user_code: codes.user_code }, { origin: 'https://evil.example' })).status, 403, 'from another site');
  equal((await Object.assign(new Browser(), { cookie, token: `${token.slice(0, -2)}xx` }).send('code', { user_code: codes.user_code })).status, 403, 'another token');
  await browser.send('code', { user_code: codes.user_code });
  await browser.send('sign-in', { user_name: person.userName, password: 'wrong' });
  equal(browser.status, 401, 'wrong password');
  const before = browser.cookie;
  await browser.send('sign-in', { user_name: person.userName, password: person.password });
  must(browser.cookie !== before, 'the cookie changes as one signs in');
  equal(browser.title, 'Choose a new password', 'first');
  await browser.send('decide', { decision: 'approve' });
  equal(browser.status, 400, 'no approval before the password is changed');
});
await step('the_device_is_told_how_it_stands', async () => {
  const person = newPerson('told');
  const codes = await deviceCode();
  equal(codes.interval, 5, 'interval');
  equal(codes.verification_uri, `${client.authority}/devicelogin`, 'verification_uri');
  const pending = await redeem(codes.device_code);
  equal(`${pending.status} ${pending.error} ${pending.error_codes[0]}`, '400 authorization_pending 70016', 'pending');
  equal((await redeem(codes.device_code)).error, 'slow_down', 'at once again');
  await decide(codes.user_code, person, 'deny');
  equal((await redeem(codes.device_code)).error, 'access_denied', 'denied');
  equal((await redeem(codes.device_code)).error, 'bad_verification_code', 'used up');
  const other = await deviceCode();
  await decide(other.user_code, person, 'approve');
  const tokens = await redeem(other.device_code);
  equal(decode(tokens.client_info).uid, person.objectId, 'client_info');
  equal(claimsOf(tokens.id_token).aud, AZ, 'id token');
  equal((await redeem(other.device_code)).error, 'bad_verification_code', 'a code is good for one answer');
  const v1 = await post({ client_id: AZ, resource: 'https://vault.azure.net' }, 'oauth2/devicecode');
  equal(v1.verification_url, `${client.authority}/devicelogin`, 'version 1');
});
slow.push(step('a_refresh_token_is_good_once_and_a_thief_ends_the_sign_in', async () => {
  const person = newPerson('refresh');
  const first = await signIn(person);
  const second = await refresh(first.refresh_token);
  equal(second.status, 200, 'rotated');
  must(second.refresh_token !== first.refresh_token, 'a new one');
  equal((await refresh(second.refresh_token, VAULT, crypto.randomUUID())).status, 400, 'of another client');
  equal((await refresh('x'.repeat(64))).error, 'invalid_grant', 'unknown');
  const ask = (token) => raw(client.vaultUrl, { path: `/keys/${keyName}?api-version=7.4`, headers: { authorization: `Bearer ${token}` } }).then((answer) => answer.status);
  must(await ask(second.access_token) !== 401, 'taken');
  await sleep(6000);
  const reused = await refresh(first.refresh_token);
  equal(`${reused.error} ${reused.error_codes[0]}`, 'invalid_grant 50173', 'used twice');
  equal((await refresh(second.refresh_token)).error, 'invalid_grant', 'the whole sign-in has ended');
  await sleep(1000 * slowness);
  equal(await ask(second.access_token), 401, 'with its access tokens');
}));
for (const [what, take] of [
  ['disabling', (person) => installation.run(['identity', 'user', 'disable', person.userName])],
  ['signing_out', (person) => installation.run(['identity', 'user', 'sign-out', person.userName])],
  ['a_new_password', (person) => installation.run(['identity', 'user', 'reset-password', person.userName])],
  ['deletion', (person) => installation.run(['identity', 'user', 'delete', person.userName, '--yes'])],
]) {
  await step(`sign_ins_end_with_${what}`, async () => {
    const person = newPerson('end');
    const tokens = await signIn(person);
    const storage = await refresh(tokens.refresh_token, STORAGE);
    const cred = { getToken: async (scope) => ({ token: scope === VAULT ? tokens.access_token : storage.access_token }) };
    await endsWith(cred, () => take(person));
    equal((await refresh(storage.refresh_token ?? tokens.refresh_token)).error, 'invalid_grant', 'no more tokens');
  });
}
await step('guessing_a_password_locks_and_the_administrator_lifts_it', async () => {
  const person = newPerson('locked');
  const codes = await deviceCode();
  const browser = await new Browser().open();
  await browser.send('code', { user_code: codes.user_code });
  for (let i = 0; i < 5; i++) await browser.send('sign-in', { user_name: person.userName, password: `guess ${i}` });
  await browser.send('sign-in', { user_name: person.userName, password: person.password });
  equal(browser.status, 401, 'even the right one');
  must(installation.run(['identity', 'user', 'list']).stdout.includes('locked until'), 'visible');
  installation.run(['identity', 'user', 'unlock', person.userName]);
  await browser.send('sign-in', { user_name: person.userName, password: person.password });
  equal(browser.title, 'Choose a new password', browser.error);
});
await step('who_signed_in_and_who_was_refused_is_in_the_audit_log', async () => {
  const person = newPerson('audited');
  const codes = await deviceCode();
  const browser = await new Browser().open();
  await browser.send('code', { user_code: codes.user_code });
  await browser.send('sign-in', { user_name: person.userName, password: 'not this one' });
  await redeem(codes.device_code);
  await decide(codes.user_code, person, 'approve');
  const tokens = await redeem(codes.device_code);
  await refresh(tokens.refresh_token);
  installation.run(['identity', 'user', 'disable', person.userName]);
  const entries = (who) => installation.run(['audit', 'show', '--service', 'identity', '--who', who]).stdout;
  const theirs = entries(person.objectId);
  for (const said of ['PersonSignIn', 'WrongPassword', 'PersonPasswordChange', 'DeviceApprove', 'SignIn', 'grant=device_code', 'grant=refresh_token']) must(theirs.includes(said), `${said} in ${theirs.slice(0, 2000)}`);
  must(!theirs.includes('AADSTS70016'), 'not how often the device asked');
  must(entries('local').includes('PersonUpdate'), 'what the administrator did');
  for (const secret of [choose, person.password, tokens.refresh_token, tokens.access_token, codes.device_code, codes.user_code]) must(!(theirs + entries('local')).includes(secret), 'nothing secret');
});

// MSAL for Python, as Debian has it (az is built on it).
const python = ['/usr/bin/python3', 'python3'].find((one) => spawnSync(one, ['-c', 'import msal'], { stdio: 'ignore' }).status === 0);
async function stepWith(isThere, name, work) {
  if (isThere) return step(name, work);
  console.log(`skip ${process.env.STRONGROOM_SUITE ?? 'sdk'}.credentials.${name} (not on this machine)`);
}
/** Runs a script; `onLine` hears each line that it prints. Gives the last one, as JSON. */
function runPython(lines, env, onLine = () => {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(python, ['-c', ['import json, msal, os, sys', 'env = os.environ', 'def say(value): print(json.dumps(value), flush=True)', ...lines].join('\n')],
      { env: { ...process.env, AUTHORITY: `${client.authority}/${client.tenant}`, REQUESTS_CA_BUNDLE: client.caFile, ...env } });
    let output = '';
    let errors = '';
    child.stdout.on('data', (text) => { output += text; onLine(String(text)); });
    child.stderr.on('data', (text) => { errors += text; });
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(JSON.parse(output.trim().split('\n').at(-1))) : reject(new Error(`python: ${code}: ${errors.slice(-600)}`))));
  });
}
slow.push(stepWith(python, 'msal_for_python_by_certificate', async () => {
  const principal = newPrincipal('python');
  const certificate = newCertificate();
  installation.run(['identity', 'principal', 'add-certificate', principal.name, certificate.certificate]);
  const answer = await runPython([
    'app = msal.ConfidentialClientApplication(env["CLIENT_ID"], authority=env["AUTHORITY"], instance_discovery=False,',
    '    client_credential={"private_key": env["KEY"], "thumbprint": env["THUMBPRINT"]})',
    'first = app.acquire_token_for_client([env["VAULT"]])',
    'second = app.acquire_token_for_client([env["STORAGE"]])',
    'say([first, second])',
  ], { CLIENT_ID: principal.clientId, KEY: certificate.key, THUMBPRINT: crypto.createHash('sha1').update(certificate.der).digest('hex'), VAULT, STORAGE });
  for (const one of answer) equal(claimsOf(one.access_token ?? must(false, JSON.stringify(one))).oid, principal.objectId, 'oid');
}));
slow.push(stepWith(python, 'msal_for_python_by_device_code', async () => {
  const person = newPerson('python');
  let decided;
  const answer = await runPython([
    'app = msal.PublicClientApplication(env["AZ"], authority=env["AUTHORITY"], instance_discovery=False)',
    'flow = app.initiate_device_flow([env["VAULT"]])',
    'say(flow)',
    'first = app.acquire_token_by_device_flow(flow)',
    'account = app.get_accounts()[0]',
    'second = app.acquire_token_silent([env["STORAGE"]], account)',
    'third = app.acquire_token_silent([env["VAULT"]], account, force_refresh=True)',
    'say([first, second, third, account])',
  ], { AZ, VAULT, STORAGE }, (line) => { decided ??= decide(JSON.parse(line).user_code, person, 'approve'); });
  equal((await decided).title, 'The device is signed in', 'the page');
  for (const one of answer.slice(0, 3)) equal(claimsOf(one.access_token).oid, person.objectId, 'oid');
  equal(answer[3].username, person.userName, 'the account');
  equal(answer[3].home_account_id, `${person.objectId}.${client.tenant}`, 'home account');
}));

// az itself, by the way that it has into a cloud of one's own.
const azFolder = path.join(folder, 'az');
/** Runs az to its end; `onText` hears all that it has said so far. Gives what it printed, as JSON. */
function az(words, onText = () => {}) {
  return new Promise((resolve, reject) => {
    const child = spawn('az', [...words, '-o', 'json'], { env: { ...process.env, AZURE_CONFIG_DIR: azFolder, AZURE_CORE_COLLECT_TELEMETRY: 'no', REQUESTS_CA_BUNDLE: client.caFile } });
    let output = '';
    let said = '';
    child.stdout.on('data', (text) => { output += text; });
    child.stderr.on('data', (text) => { said += text; onText(said); });
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(output.trim() ? JSON.parse(output) : undefined) : reject(new Error(`az ${words.slice(0, 2).join(' ')}: ${code}: ${said.slice(-600)}`))));
  });
}
const azKeys = () => az(['rest', '--url', `${client.vaultUrl}/keys?api-version=7.4`, '--resource', 'https://vault.azure.net']);
const isAz = spawnSync('az', ['version'], { stdio: 'ignore' }).status === 0;
slow.push((async () => {
  if (isAz) {
    fs.mkdirSync(azFolder, { recursive: true });
    const manager = `https://127.0.0.1:${installation.ports['workspace-port']}`; // which az asks for subscriptions
    fs.writeFileSync(path.join(azFolder, 'cloud.json'), JSON.stringify({ endpoints: { activeDirectory: `${client.authority}/adfs`, activeDirectoryResourceId: 'https://management.core.windows.net/',
      resourceManager: manager, management: manager, microsoftGraphResourceId: 'https://graph.microsoft.com/', activeDirectoryGraphResourceId: 'https://graph.windows.net/' } }));
    await az(['cloud', 'register', '-n', 'strongroom', '--cloud-config', `@${azFolder}/cloud.json`]);
    await az(['cloud', 'set', '-n', 'strongroom']);
  }
  await stepWith(isAz, 'az_login_by_certificate', async () => {
    const principal = newPrincipal('az');
    const certificate = newCertificate();
    installation.run(['identity', 'principal', 'add-certificate', principal.name, certificate.certificate]);
    const [login] = await az(['login', '--service-principal', '-u', principal.clientId, '-p', certificate.both, '--tenant', client.tenant, '--allow-no-subscriptions']);
    equal(login.user.name, principal.clientId, 'who');
    must((await azKeys()).value.length > 0, 'the vault takes its token');
    await az(['logout']);
  });
  await stepWith(isAz, 'az_login_by_device_code', async () => {
    const person = newPerson('az');
    let decided;
    const [login] = await az(['login', '--use-device-code', '--tenant', client.tenant, '--allow-no-subscriptions'], (said) => {
      const code = /code ([A-Z]{4}-[A-Z]{4})/.exec(said)?.[1];
      if (code) decided ??= decide(code, person, 'approve');
    });
    equal((await decided).title, 'The device is signed in', 'the page');
    equal(login.user.name, person.userName, 'who');
    must((await azKeys()).value.length > 0, 'another resource by refresh token, and the vault takes it');
  });
})());

// The page in a real browser, its scripts turned off.
const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((one) => fs.existsSync(one));
slow.push(stepWith(chromium, 'the_page_in_chromium_without_scripts', async () => {
  const { chromium: browsers } = await import('playwright-core');
  const person = newPerson('chromium');
  const codes = await deviceCode();
  const browser = await browsers.launch({ executablePath: chromium, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: false, colorScheme: process.env.COLORS ?? 'light' });
    const page = await context.newPage();
    const complaints = [];
    const elsewhere = [];
    page.on('console', (message) => { if (!message.text().includes('401 (Unauthorized)')) complaints.push(message.text()); });
    page.on('request', (request) => { if (!request.url().startsWith(`${client.authority}/devicelogin`)) elsewhere.push(request.url()); });
    const shot = async (name) => { if (process.env.SHOTS) await page.screenshot({ path: path.join(process.env.SHOTS, `${name}.png`), fullPage: true }); };
    await page.goto(codes.verification_uri_complete);
    equal(await page.getByLabel('Code').inputValue(), codes.user_code, 'the code is there already');
    await shot('code');
    await page.keyboard.press('Enter');
    await page.getByLabel('User name').fill(person.userName);
    await page.getByLabel('Password').fill('not this one');
    await page.getByRole('button', { name: 'Sign in' }).click();
    must((await page.getByRole('alert').textContent()).includes('wrong'), 'it is said');
    await shot('sign-in');
    await page.getByLabel('User name').fill(person.userName);
    await page.getByLabel('Password').fill(person.password);
    await page.keyboard.press('Enter');
    await page.getByLabel('New password').fill(choose);
    await page.getByLabel('The same again').fill(choose);
    await page.getByRole('button', { name: 'Set password' }).click();
    must((await page.locator('dl').textContent()).includes('Microsoft Azure CLI'), 'who asks');
    await shot('approve');
    await page.getByRole('button', { name: 'Approve' }).click();
    equal(await page.getByRole('heading').textContent(), 'The device is signed in', 'done');
    await shot('done');
    equal(complaints.join(), '', 'the browser complains of nothing (its policy among it)');
    equal(elsewhere.filter((url) => !url.endsWith('/favicon.ico')).join(), '', 'nothing is loaded from elsewhere');
    equal(claimsOf((await redeem(codes.device_code)).access_token).oid, person.objectId, 'signed in');
  } finally {
    await browser.close();
  }
}));
await Promise.all(slow);
finish();

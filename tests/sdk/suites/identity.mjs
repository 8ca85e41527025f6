// Identity: what the official credential classes need, and what must be refused.
import crypto from 'node:crypto';
import { suite, step, finish, must, equal, refused, installation, credential, keyClient, blobService, raw, sleep, slowness, unique } from '../steps.mjs';
import { words } from '../canary.mjs';

suite('identity');
const { client } = installation;
const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const token = async (scope, cred = credential()) => (await cred.getToken(scope)).token;
const form = (fields) => ({ method: 'POST', path: `/${client.tenant}/oauth2/v2.0/token`, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(fields).toString() });
const vaultGet = (bearer) => raw(client.vaultUrl, { path: '/keys?api-version=7.4', headers: { authorization: `Bearer ${bearer}` } });

await step('discovery_names_its_own_origin', async () => {
  const answer = await raw(client.authority, { path: `/${client.tenant}/v2.0/.well-known/openid-configuration` });
  equal(answer.status, 200, 'status');
  const metadata = JSON.parse(answer.body);
  for (const name of ['issuer', 'token_endpoint', 'jwks_uri', 'authorization_endpoint']) must(metadata[name]?.startsWith(client.authority), `${name} at ${client.authority}`);
});
await step('token_is_signed_by_a_published_key', async () => {
  const jwt = await token('https://vault.azure.net/.default');
  const [head, claims, signature] = jwt.split('.');
  const keys = JSON.parse((await raw(client.authority, { path: `/${client.tenant}/discovery/v2.0/keys` })).body).keys;
  const jwk = keys.find((key) => key.kid === decode(head).kid);
  must(jwk, 'the kid is published');
  must(crypto.verify('sha256', Buffer.from(`${head}.${claims}`), crypto.createPublicKey({ key: jwk, format: 'jwk' }), Buffer.from(signature, 'base64url')), 'signature');
  equal(decode(claims).aud.replace(/\/$/, ''), 'https://vault.azure.net', 'aud');
  equal(decode(claims).tid, client.tenant, 'tid');
  equal(decode(claims).oid, client.objectId, 'oid');
});
await step('wrong_secret_is_invalid_client', async () => {
  const answer = await raw(client.authority, form({ grant_type: 'client_credentials', client_id: client.clientId, client_secret: 'wrong', scope: 'https://vault.azure.net/.default' }));
  equal(answer.status, 401, 'status');
  equal(JSON.parse(answer.body).error, 'invalid_client', 'error');
  must(JSON.parse(answer.body).error_description.startsWith('AADSTS7000215'), 'AADSTS7000215');
});
await step('bad_requests_get_entras_errors', async () => {
  const good = { grant_type: 'client_credentials', client_id: client.clientId, client_secret: client.clientSecret, scope: 'https://vault.azure.net/.default' };
  for (const [fields, error] of [
    [{ ...good, grant_type: 'password' }, 'unsupported_grant_type'],
    [{ ...good, scope: 'https://elsewhere.example/.default' }, 'invalid_resource'],
    [{ ...good, client_id: crypto.randomUUID() }, 'unauthorized_client'],
  ]) {
    const answer = await raw(client.authority, form(fields));
    must([400, 401].includes(answer.status), `400 or 401, not ${answer.status}`);
    equal(JSON.parse(answer.body).error, error, JSON.stringify(fields.grant_type));
  }
  const tenant = await raw(client.authority, { ...form(good), path: `/${crypto.randomUUID()}/oauth2/v2.0/token` });
  equal(tenant.status, 400, 'unknown tenant');
  must(tenant.body.includes('AADSTS90002'), 'AADSTS90002');
});
await step('forged_tokens_are_refused', async () => {
  const jwt = await token('https://vault.azure.net/.default');
  equal((await vaultGet(jwt)).status, 200, 'the true token');
  const [head, claims, signature] = jwt.split('.');
  const { privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  const resigned = (header, payload) => { const input = `${encode(header)}.${encode(payload)}`; return `${input}.${crypto.sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`; };
  const forged = {
    'alg none': `${encode({ ...decode(head), alg: 'none' })}.${claims}.`,
    'alg HS256': (() => { const input = `${encode({ ...decode(head), alg: 'HS256' })}.${claims}`; return `${input}.${crypto.createHmac('sha256', 'key').update(input).digest('base64url')}`; })(),
    'another key': resigned(decode(head), decode(claims)),
    'unknown kid': resigned({ ...decode(head), kid: 'x' }, decode(claims)),
    'claims changed': `${head}.${encode({ ...decode(claims), oid: crypto.randomUUID() })}.${signature}`,
    'expired': resigned(decode(head), { ...decode(claims), exp: 1 }),
    'cut': jwt.slice(0, -10),
    'empty': '',
    'not a token': 'a.b.c',
    'huge': 'A'.repeat(20000),
    'for storage': await token('https://storage.azure.com/.default'),
  };
  for (const [what, bearer] of Object.entries(forged)) {
    const answer = await vaultGet(bearer);
    equal(answer.status, 401, what);
    equal(JSON.parse(answer.body).error.code, 'Unauthorized', what);
  }
});
await step('roles_are_enforced_and_disabling_is_quick', async () => {
  const account = installation.json(['account', 'create', `roles${unique()}`]);
  const reader = installation.json(['principal', 'create', words.principal, '--role', 'Storage Blob Data Reader']);
  const cred = credential({ clientId: reader.clientId, secret: reader.secret });
  await blobService(account).getContainerClient('data').create();
  await blobService(account).getContainerClient('data').getBlockBlobClient('b').upload('x', 1);
  await cred.getToken('https://storage.azure.com/.default');
  await sleep(1000 * slowness);
  const theirs = blobService(account, cred).getContainerClient('data').getBlockBlobClient('b');
  equal((await theirs.downloadToBuffer()).toString(), 'x', 'a reader reads');
  await refused(theirs.upload('y', 1), 403, 'AuthorizationPermissionMismatch');
  await refused(keyClient(cred).getKey('any'), 403, 'Forbidden');
  installation.run(['principal', 'disable', reader.objectId]);
  await sleep(1000 * slowness);
  const error = await refused(theirs.downloadToBuffer());
  must([401, 403].includes(error.statusCode), `refused with 401 or 403, not ${error.statusCode}`);
});
finish();

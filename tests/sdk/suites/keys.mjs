// The keys API of Key Vault: life cycle, operations checked against Node's own crypto, refusals in the service's shape.
import crypto from 'node:crypto';
import { CryptographyClient } from '@azure/keyvault-keys';
import { suite, step, finish, must, equal, refused, installation, credential, keyClient, raw, unique } from '../steps.mjs';
import { words } from '../canary.mjs';

suite('keys');
const { client } = installation;
const keys = keyClient();
const cred = credential();
const poll = { intervalInMs: 20 };
const crypt = (key) => new CryptographyClient(key.id, cred, { disableChallengeResourceVerification: true, retryOptions: { maxRetries: 0 } });
const bearer = async () => ({ authorization: `Bearer ${(await cred.getToken('https://vault.azure.net/.default')).token}`, 'content-type': 'application/json' });
const publicOf = (key) => crypto.createPublicKey({ format: 'jwk', key: key.keyType === 'EC'
  ? { kty: 'EC', crv: key.key.crv === 'P-256K' ? 'secp256k1' : key.key.crv, x: Buffer.from(key.key.x).toString('base64url'), y: Buffer.from(key.key.y).toString('base64url') }
  : { kty: 'RSA', n: Buffer.from(key.key.n).toString('base64url'), e: Buffer.from(key.key.e).toString('base64url') } });

for (const keySize of [2048, 3072, 4096]) await step(`rsa_${keySize}_signs_wraps_and_decrypts`, async () => {
  const key = await keys.createRsaKey(`rsa-${unique()}`, { keySize, tags: { [words.tag]: words.tag } });
  equal(key.key.n.length * 8, keySize, 'modulus');
  const service = crypt(key);
  for (const [alg, hash, padding] of [['RS256', 'sha256'], ['RS384', 'sha384'], ['RS512', 'sha512'], ['PS256', 'sha256', true], ['PS384', 'sha384', true], ['PS512', 'sha512', true]]) {
    const { result } = await service.sign(alg, crypto.createHash(hash).update('data').digest());
    const how = padding ? { key: publicOf(key), padding: crypto.constants.RSA_PKCS1_PSS_PADDING } : publicOf(key);
    must(crypto.verify(hash, Buffer.from('data'), how, result), `${alg} verifies elsewhere`);
  }
  const secret = crypto.randomBytes(32);
  for (const [alg, options] of [['RSA-OAEP', { oaepHash: 'sha1' }], ['RSA-OAEP-256', { oaepHash: 'sha256' }], ['RSA1_5', { padding: crypto.constants.RSA_PKCS1_PADDING }]]) {
    const theirs = crypto.publicEncrypt({ key: publicOf(key), ...options }, secret);
    must(Buffer.from((await service.unwrapKey(alg, theirs)).result).equals(secret), `${alg} opens what was wrapped elsewhere`);
  }
});
for (const [curve, alg, hash] of [['P-256', 'ES256', 'sha256'], ['P-384', 'ES384', 'sha384'], ['P-521', 'ES512', 'sha512'], ['P-256K', 'ES256K', 'sha256']]) await step(`ec_${curve}_signs`, async () => {
  const key = await keys.createEcKey(`ec-${unique()}`, { curve });
  const { result } = await crypt(key).sign(alg, crypto.createHash(hash).update('data').digest());
  must(crypto.verify(hash, Buffer.from('data'), { key: publicOf(key), dsaEncoding: 'ieee-p1363' }, result), 'verifies elsewhere');
});
await step('versions_updates_and_tags', async () => {
  const name = `${words.key}-${unique()}`;
  const first = await keys.createRsaKey(name);
  const second = await keys.rotateKey(name);
  must(first.properties.version !== second.properties.version, 'a new version');
  equal((await keys.getKey(name)).properties.version, second.properties.version, 'the newest');
  equal((await keys.getKey(name, { version: first.properties.version })).id, first.id, 'by version');
  const versions = [];
  for await (const version of keys.listPropertiesOfKeyVersions(name)) versions.push(version.version);
  equal(versions.length, 2, 'versions');
  const updated = await keys.updateKeyProperties(name, second.properties.version, { tags: { a: 'b' }, expiresOn: new Date(Date.now() + 86400e3) });
  equal(updated.properties.tags.a, 'b', 'tag');
  must(updated.properties.expiresOn > new Date(), 'expiry');
});
await step('disabled_and_expired_keys_are_refused', async () => {
  const key = await keys.createRsaKey(`off-${unique()}`);
  const headers = await bearer();
  const sign = async () => {
    const body = JSON.stringify({ alg: 'RS256', value: crypto.randomBytes(32).toString('base64url') });
    const answer = await raw(client.vaultUrl, { method: 'POST', path: `/keys/${key.name}/${key.properties.version}/sign?api-version=7.4`, headers, body });
    return { status: answer.status, inner: JSON.parse(answer.body).error?.innererror?.code };
  };
  const after = async (attributes) => { await keys.updateKeyProperties(key.name, key.properties.version, attributes); return JSON.stringify(await sign()); };
  equal(await after({ enabled: false }), '{"status":403,"inner":"KeyDisabled"}', 'disabled');
  equal(await after({ enabled: true, notBefore: new Date(Date.now() + 3600e3) }), '{"status":403,"inner":"KeyNotYetValid"}', 'not yet valid');
  equal(await after({ notBefore: new Date(Date.now() - 7200e3), expiresOn: new Date(Date.now() - 3600e3) }), '{"status":403,"inner":"KeyExpired"}', 'expired');
  equal(await after({ expiresOn: new Date(Date.now() + 3600e3) }), '{"status":200}', 'valid again');
});
await step('soft_delete_recover_purge', async () => {
  const name = `del-${unique()}`;
  await keys.createRsaKey(name);
  const deleted = await (await keys.beginDeleteKey(name, poll)).pollUntilDone();
  must(deleted.properties.recoveryId && deleted.properties.scheduledPurgeDate, 'recoveryId');
  await refused(keys.getKey(name), 404, 'KeyNotFound');
  await refused(keys.createRsaKey(name), 409, 'Conflict');
  await (await keys.beginRecoverDeletedKey(name, poll)).pollUntilDone();
  await keys.getKey(name);
  await (await keys.beginDeleteKey(name, poll)).pollUntilDone();
  await keys.purgeDeletedKey(name);
  await refused(keys.getDeletedKey(name), 404);
  await keys.createRsaKey(name);
});
await step('lists_page_by_25', async () => {
  for (let i = 0; i < 30; i++) await keys.createEcKey(`many-${String(i).padStart(2, '0')}-${unique()}`);
  const names = new Set();
  let pages = 0;
  for await (const page of keys.listPropertiesOfKeys().byPage()) {
    pages++;
    must(page.length <= 25, 'at most 25 a page');
    for (const key of page) { must(!names.has(key.name), 'no name twice'); names.add(key.name); }
  }
  must(names.size >= 30 && pages >= 2, 'all, in pages');
});
await step('challenge_comes_before_the_body', async () => {
  const answer = await raw(client.vaultUrl, { path: '/keys/x?api-version=7.4' });
  equal(answer.status, 401, 'status');
  must(/^Bearer authorization="https:\/\/[^"]+\/[0-9a-f-]{36}", resource="https:\/\/vault\.azure\.net"$/.test(answer.headers['www-authenticate']), `challenge, not ${answer.headers['www-authenticate']}`);
  equal(JSON.parse(answer.body).error.code, 'Unauthorized', 'code');
});
await step('bad_requests_are_bad_parameters', async () => {
  const headers = await bearer();
  const key = await keys.createRsaKey(`bad-${unique()}`);
  const post = (path, body) => raw(client.vaultUrl, { method: 'POST', path, headers, body });
  const cases = [
    await post('/keys/x-1/create?api-version=7.4', '{'),
    await post('/keys/x-1/create?api-version=7.4', '[]'),
    await post('/keys/x-1/create?api-version=7.4', '{"kty":"DSA"}'),
    await post('/keys/x-1/create?api-version=7.4', '{"kty":"RSA","key_size":1024}'),
    await post('/keys/x-1/create?api-version=7.4', '{"kty":"RSA","key_size":"2048"}'),
    await post('/keys/x-1/create?api-version=7.4', `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`),
    await post('/keys/x_1/create?api-version=7.4', '{"kty":"RSA"}'),
    await post(`/keys/${'x'.repeat(200)}/create?api-version=7.4`, '{"kty":"RSA"}'),
    await post('/keys/x-1/create', '{"kty":"RSA"}'),
    await post('/keys/x-1/create?api-version=banana', '{"kty":"RSA"}'),
    await post(`/keys/${key.name}/${key.properties.version}/sign?api-version=7.4`, '{"alg":"RS256","value":"***"}'),
    await post(`/keys/${key.name}/${key.properties.version}/sign?api-version=7.4`, '{"alg":"RS256","value":"AAAA"}'),
    await post(`/keys/${key.name}/${key.properties.version}/sign?api-version=7.4`, '{"alg":"ES256","value":"AAAA"}'),
    await post(`/keys/${key.name}/${key.properties.version}/unwrapkey?api-version=7.4`, '{"alg":"RSA-OAEP","value":"AAAA"}'),
  ];
  for (const [i, answer] of cases.entries()) {
    equal(answer.status, 400, `case ${i}: ${answer.body.slice(0, 100)}`);
    must(JSON.parse(answer.body).error.code, `case ${i} has a code`);
    must(JSON.parse(answer.body).error.message, `case ${i} has a message`);
  }
  for (const path of ['/keys/../secrets', '/keys/%2e%2e/x', '/keys/a%00b', '/nowhere', '/keys/none-such']) {
    const answer = await raw(client.vaultUrl, { path: `${path}?api-version=7.4`, headers });
    must([400, 404].includes(answer.status), `${path}: 400 or 404, not ${answer.status}`);
    must(JSON.parse(answer.body).error.code, `${path} has a code`);
  }
});
await step('audit_log_names_the_caller_and_no_secret', async () => {
  const lines = installation.run(['audit', 'show', '--limit', '100000']).stdout;
  must(lines.includes(client.objectId), 'who');
  must(!lines.includes(client.clientSecret), 'no secret');
});
finish();

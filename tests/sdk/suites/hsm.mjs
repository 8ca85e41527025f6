// Keys of -HSM types in a PKCS#11 token: made, imported, used, rotated and purged by the unmodified SDK; seen in the token by another
// program; and what happens while the token is away, or the vault dies in the middle.
import crypto from 'node:crypto';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CryptographyClient } from '@azure/keyvault-keys';
import { Installation, rerunTrusting } from '../installation.mjs';
import { Token } from '../softhsm.mjs';
import { suite, step, finish, must, equal, refused, installation, credential, keyClient, blobService, sleep, unique } from '../steps.mjs';

if (!process.env.STRONGROOM_TOKEN) { // first without: an installation of its own with a token, then again in its trust
  const token = new Token();
  const own = await new Installation(installation.binary, { settings: token.settings }).init();
  process.env.STRONGROOM_TOKEN = JSON.stringify(token);
  try {
    await own.serve();
    process.exitCode = await rerunTrusting(own, fileURLToPath(import.meta.url));
    await own.stop();
    if (process.exitCode) process.stderr.write(own.log.slice(-5000));
  } finally {
    await own.stop();
    own.remove();
    token.remove();
  }
  process.exit();
}

suite('hsm');
const token = Object.setPrototypeOf(JSON.parse(process.env.STRONGROOM_TOKEN), Token.prototype);
const keys = keyClient();
const cred = credential();
const poll = { intervalInMs: 20 };
const crypt = (key) => new CryptographyClient(key.id, cred, { disableChallengeResourceVerification: true, retryOptions: { maxRetries: 0 } });
const url = (bytes) => Buffer.from(bytes).toString('base64url');
const publicOf = (key) => crypto.createPublicKey({ format: 'jwk', key: key.keyType.startsWith('EC')
  ? { kty: 'EC', crv: key.key.crv === 'P-256K' ? 'secp256k1' : key.key.crv, x: url(key.key.x), y: url(key.key.y) }
  : { kty: 'RSA', n: url(key.key.n), e: url(key.key.e) } });
const bytesOf = (jwk) => Object.fromEntries(Object.entries(jwk).map(([name, value]) => [name, ['kty', 'crv'].includes(name) ? value : Buffer.from(value, 'base64url')]));
const digest = (hash) => crypto.createHash(hash).update('data').digest();

async function rsaWorks(key) {
  const service = crypt(key);
  for (const [alg, hash, padding] of [['RS256', 'sha256'], ['RS384', 'sha384'], ['RS512', 'sha512'], ['PS256', 'sha256', true], ['PS384', 'sha384', true], ['PS512', 'sha512', true]]) {
    const { result } = await service.sign(alg, digest(hash));
    const how = padding ? { key: publicOf(key), padding: crypto.constants.RSA_PKCS1_PSS_PADDING } : publicOf(key);
    must(crypto.verify(hash, Buffer.from('data'), how, result), `${alg} verifies elsewhere`);
    must((await service.verify(alg, digest(hash), result)).result, `${alg} verifies here`);
  }
  const secret = crypto.randomBytes(32);
  for (const [alg, options] of [['RSA-OAEP', { oaepHash: 'sha1' }], ['RSA-OAEP-256', { oaepHash: 'sha256' }], ['RSA1_5', { padding: crypto.constants.RSA_PKCS1_PADDING }]]) {
    const theirs = crypto.publicEncrypt({ key: publicOf(key), ...options }, secret);
    must(Buffer.from((await service.unwrapKey(alg, theirs)).result).equals(secret), `${alg} unwraps what was wrapped elsewhere`);
    must(Buffer.from((await service.decrypt(alg, theirs)).result).equals(secret), `${alg} decrypts it too`);
    const { result } = await service.wrapKey(alg, secret);
    must(Buffer.from((await service.unwrapKey(alg, result)).result).equals(secret), `${alg} unwraps its own`);
    theirs[20] ^= 1;
    await refused(service.unwrapKey(alg, theirs), 400);
  }
}
const purge = async (name) => {
  await (await keys.beginDeleteKey(name, poll)).pollUntilDone();
  await keys.purgeDeletedKey(name);
};

for (const keySize of [2048, 3072, 4096]) await step(`rsa_${keySize}_is_made_in_the_token_and_works_there`, async () => {
  const before = token.objects().length;
  const key = await keys.createRsaKey(`rsa-${unique()}`, { keySize, hsm: true });
  equal(key.keyType, 'RSA-HSM', 'kty');
  equal(key.properties.hsmPlatform, 'PKCS#11', 'platform');
  equal(key.key.n.length * 8, keySize, 'modulus');
  await rsaWorks(key);
  equal((await keys.getKey(key.name)).keyType, 'RSA-HSM', 'kty as read');
  const objects = token.objects();
  equal(objects.length, before + 1, 'one object in the token');
  for (const { kind, access, text } of objects) {
    must(/Private Key|Secret Key/.test(kind), `a private object, not ${kind}`);
    must(/sensitive/.test(access) && /never extractable/.test(access), `non-extractable, not ${access}`);
    must(!text.includes(key.name), 'no name in the token');
  }
});
for (const [curve, alg, hash] of [['P-256', 'ES256', 'sha256'], ['P-384', 'ES384', 'sha384'], ['P-521', 'ES512', 'sha512'], ['P-256K', 'ES256K', 'sha256']]) await step(`ec_${curve}_signs_in_the_token`, async () => {
  const key = await keys.createEcKey(`ec-${unique()}`, { curve, hsm: true });
  equal(key.keyType, 'EC-HSM', 'kty');
  equal((await keys.getKey(key.name)).keyType, 'EC-HSM', 'kty as read');
  const { result } = await crypt(key).sign(alg, digest(hash));
  must(crypto.verify(hash, Buffer.from('data'), { key: publicOf(key), dsaEncoding: 'ieee-p1363' }, result), 'verifies elsewhere');
  must((await crypt(key).verify(alg, digest(hash), result)).result, 'verifies here');
});
for (const bits of [128, 192, 256]) await step(`oct_${bits}_encrypts_and_wraps_in_the_token`, async () => {
  const key = await keys.createKey(`oct-${unique()}`, 'oct-HSM', { keySize: bits });
  equal(key.keyType, 'oct-HSM', 'kty');
  equal((await keys.getKey(key.name)).keyType, 'oct-HSM', 'kty as read');
  const service = crypt(key);
  const secret = crypto.randomBytes(32);
  const wrapped = await service.wrapKey(`A${bits}KW`, secret);
  equal(wrapped.result.length, 40, 'RFC 3394 adds eight bytes');
  must(Buffer.from((await service.unwrapKey(`A${bits}KW`, wrapped.result)).result).equals(secret), 'key wrap');
  const sealed = await service.encrypt({ algorithm: `A${bits}GCM`, plaintext: secret, additionalAuthenticatedData: Buffer.from('aad') });
  const gcm = { algorithm: `A${bits}GCM`, ciphertext: sealed.result, iv: sealed.iv, authenticationTag: sealed.authenticationTag, additionalAuthenticatedData: Buffer.from('aad') };
  must(Buffer.from((await service.decrypt(gcm)).result).equals(secret), 'GCM');
  await refused(service.decrypt({ ...gcm, additionalAuthenticatedData: Buffer.from('other') }), 400);
  for (const algorithm of [`A${bits}CBC`, `A${bits}CBCPAD`]) {
    const iv = crypto.randomBytes(16);
    const { result } = await service.encrypt({ algorithm, plaintext: secret, iv });
    must(Buffer.from((await service.decrypt({ algorithm, ciphertext: result, iv })).result).equals(secret), algorithm);
  }
});
await step('imported_keys_go_into_the_token_and_are_the_same', async () => {
  const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = await keys.importKey(`in-${unique()}`, { ...bytesOf(rsa.privateKey.export({ format: 'jwk' })), kty: 'RSA-HSM' });
  equal(key.keyType, 'RSA-HSM', 'kty');
  await rsaWorks(key);
  must(crypto.verify('sha256', Buffer.from('data'), rsa.publicKey, (await crypt(key).sign('RS256', digest('sha256'))).result), 'it is the key that was imported');
  const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const curve = await keys.importKey(`in-${unique()}`, { ...bytesOf(ec.privateKey.export({ format: 'jwk' })) }, { hardwareProtected: true });
  equal(curve.keyType, 'EC-HSM', 'by the flag');
  must(crypto.verify('sha256', Buffer.from('data'), { key: ec.publicKey, dsaEncoding: 'ieee-p1363' }, (await crypt(curve).sign('ES256', digest('sha256'))).result), 'and this');
  const k = crypto.randomBytes(32);
  const oct = await keys.importKey(`in-${unique()}`, { kty: 'oct-HSM', k });
  const iv = crypto.randomBytes(16);
  const { result } = await crypt(oct).encrypt({ algorithm: 'A256CBCPAD', plaintext: Buffer.from('text'), iv });
  const cipher = crypto.createDecipheriv('aes-256-cbc', k, iv);
  equal(Buffer.concat([cipher.update(result), cipher.final()]).toString(), 'text', 'opens elsewhere under the key that was imported');
});
await step('rotation_lists_attributes_and_disabling', async () => {
  const name = `life-${unique()}`;
  const first = await keys.createRsaKey(name, { hsm: true, tags: { a: 'b' } });
  const second = await keys.rotateKey(name);
  equal(second.keyType, 'RSA-HSM', 'rotated in the token');
  const secret = crypto.randomBytes(32);
  const old = await crypt(first).wrapKey('RSA-OAEP-256', secret);
  must(Buffer.from((await crypt(first).unwrapKey('RSA-OAEP-256', old.result)).result).equals(secret), 'the old version works');
  const versions = [];
  for await (const version of keys.listPropertiesOfKeyVersions(name)) versions.push(version);
  equal(versions.length, 2, 'versions');
  const listed = [];
  for await (const key of keys.listPropertiesOfKeys()) listed.push(key.name);
  must(listed.includes(name), 'listed');
  await keys.updateKeyProperties(name, first.properties.version, { enabled: false });
  await refused(crypt(first).unwrapKey('RSA-OAEP-256', old.result), 403, 'Forbidden');
  await keys.updateKeyProperties(name, first.properties.version, { enabled: true });
  await crypt(first).unwrapKey('RSA-OAEP-256', old.result);
});
await step('a_key_in_the_token_has_no_backup', async () => {
  const key = await keys.createRsaKey(`backup-${unique()}`, { hsm: true });
  const error = await refused(keys.backupKey(key.name), 403, 'Forbidden');
  must(/hardware module/.test(error.message), `says why, not ${error.message}`);
});
await step('purging_destroys_the_objects', async () => {
  const before = token.objects().map(({ id }) => id);
  const key = await keys.createRsaKey(`gone-${unique()}`, { hsm: true });
  await keys.rotateKey(key.name);
  equal(token.objects().length, before.length + 2, 'two versions');
  await (await keys.beginDeleteKey(key.name, poll)).pollUntilDone();
  equal(token.objects().length, before.length + 2, 'deleted keys can be recovered');
  await (await keys.beginRecoverDeletedKey(key.name, poll)).pollUntilDone();
  await crypt(key).sign('RS256', digest('sha256'));
  await purge(key.name);
  equal(token.objects().map(({ id }) => id).sort().join(), before.sort().join(), 'nothing of it is left, and nothing else is gone');
});
await step('an_account_under_an_hsm_key_follows_its_rotation_and_its_disabling', async () => {
  const key = await keys.createRsaKey(`kek-${unique()}`, { hsm: true });
  const account = installation.json(['account', 'create', `hsm${unique()}`, '--key', key.name]);
  const container = blobService(account).getContainerClient('data');
  await container.create();
  await container.getBlockBlobClient('small').upload('small', 5);
  const { properties } = await keys.rotateKey(key.name);
  equal((await container.getBlockBlobClient('small').downloadToBuffer()).toString(), 'small', 'after the rotation');
  await keys.updateKeyProperties(key.name, properties.version, { enabled: false });
  await refused(container.getBlockBlobClient('small').download(), 403, 'KeyVaultEncryptionKeyNotFound');
  await keys.updateKeyProperties(key.name, properties.version, { enabled: true });
  equal((await container.getBlockBlobClient('small').downloadToBuffer()).toString(), 'small', 'and back');
  installation.run(['verify']); // throws with what it found
});
await step('while_the_token_is_away_keys_fail_closed_and_then_come_back', async () => {
  const key = await keys.createRsaKey(`away-${unique()}`, { hsm: true });
  const soft = await keys.createRsaKey(`soft-${unique()}`);
  const doomed = await keys.createRsaKey(`doomed-${unique()}`, { hsm: true });
  const { result } = await crypt(key).wrapKey('RSA-OAEP-256', Buffer.from('secret'));
  const objects = token.objects().length;
  token.hide();
  try {
    for (let i = 0; i < 3; i++) await refused(crypt(key).unwrapKey('RSA-OAEP-256', result), 503, 'ServiceUnavailable');
    await refused(crypt(key).sign('RS256', digest('sha256')), 503);
    await refused(keys.createRsaKey(`late-${unique()}`, { hsm: true }), 503);
    await crypt(soft).sign('RS256', digest('sha256'));
    await keys.getKey(key.name);
    await purge(doomed.name); // for good, though its object is out of reach for now
  } finally {
    token.show();
  }
  let back;
  for (let i = 0; i < 100 && !back; i++) {
    back = await crypt(key).unwrapKey('RSA-OAEP-256', result).catch(() => sleep(50));
  }
  equal(Buffer.from(back.result).toString(), 'secret', 'it came back by itself');
  process.kill(installation.pids().vault, 'SIGKILL'); // a start sweeps, as the chore does in time
  for (let i = 0; i < 200 && !await crypt(key).sign('RS256', digest('sha256')).catch(() => sleep(50)); i++);
  equal(token.objects().length, objects - 1, 'the purged one was swept');
});
await step('a_vault_killed_at_any_moment_leaves_no_object_without_a_key', async () => {
  const name = `kill-${unique()}`;
  await keys.createRsaKey(name, { hsm: true });
  for (let i = 0; i < 4; i++) {
    const work = [1, 2].map(() => keys.createEcKey(`${name}-${unique()}`, { hsm: true }).catch(() => undefined));
    await sleep(3 + 11 * i);
    process.kill(installation.pids().vault, 'SIGKILL');
    await Promise.all(work);
    for (let n = 0; n < 200 && !await keys.getKey(name).catch(() => sleep(50)); n++);
  }
  let versions = 0;
  for await (const { name: key } of keys.listPropertiesOfKeys()) for await (const version of keys.listPropertiesOfKeyVersions(key)) versions += version.hsmPlatform === 'PKCS#11' ? 1 : 0;
  const objects = token.objects().filter(({ id }) => id); // SoftHSM, killed as it writes an object, leaves a piece of one without id
  equal(objects.length, versions, 'objects and versions');
  equal(new Set(objects.map(({ id }) => id)).size, objects.length, 'ids');
  let verified;
  for (let i = 0; i < 100 && verified?.status !== 0; i++) { // the other services get their leases back first
    await sleep(100);
    verified = installation.run(['verify'], { allowFailure: true });
  }
  equal(verified.status, 0, `verify: ${verified.stderr}`);
});
await step('verify_names_a_key_that_the_token_lost', async () => {
  const before = token.objects().map(({ id }) => id);
  const key = await keys.createRsaKey(`lost-${unique()}`, { hsm: true });
  const { id } = token.objects().find((object) => !before.includes(object.id));
  token.tool('--delete-object', '--type', 'privkey', '--id', id);
  await refused(crypt(key).sign('RS256', digest('sha256')), 503);
  const { status, stdout, stderr } = installation.run(['verify'], { allowFailure: true });
  must(status !== 0 && (stdout + stderr).includes(key.name), `named, not ${stdout}${stderr}`);
  await purge(key.name);
  installation.run(['verify']);
});
await step('nothing_secret_and_no_name_lies_in_the_token_directory_or_the_log', async () => {
  const log = installation.run(['audit', 'show', '--limit', '100000']).stdout;
  must(!log.includes(token.pin), 'no PIN in the audit log');
  for (const file of fs.readdirSync(token.directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()))
    must(!fs.readFileSync(`${file.parentPath ?? file.path}/${file.name}`).includes('life-'), 'no key\'s name');
});
finish();

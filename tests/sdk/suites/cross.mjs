// The same data through the vault, the openssl command and Node's crypto, for every algorithm of the keys API and both ways: what one signs,
// wraps or encrypts the others verify, unwrap and decrypt. What openssl's command cannot do (AES key wrap, AES-GCM) Node does.
import { spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { suite, step, finish, must, equal, installation, credential, raw, unique } from '../steps.mjs';

suite('cross');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-cross-'));
process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
const { token } = await credential().getToken('https://vault.azure.net/.default');
const file = (name, bytes) => { fs.writeFileSync(path.join(folder, name), bytes); return name; };
function openssl(words, input) {
  const result = spawnSync('openssl', words, { cwd: folder, input });
  if (result.status !== 0) throw new Error(`openssl ${words.join(' ')}: ${result.stderr}`);
  return result.stdout;
}
async function ask(method, target, body) {
  const { status, body: text } = await raw(installation.client.vaultUrl, { method, path: `${target}?api-version=7.4`, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
  must(status < 300, `${method} ${target}: ${status} ${text.slice(0, 300)}`);
  return text ? JSON.parse(text) : {};
}
const text = (bytes) => Buffer.from(bytes).toString('base64url');
const bytesOf = (word) => Buffer.from(word, 'base64url');
const data = Buffer.from('what is signed');

/** A key of Node's making in the vault; gives its path and itself. */
async function imported(kind, jwk) {
  const name = `cross-${kind.toLowerCase()}-${unique()}`;
  await ask('PUT', `/keys/${name}`, { key: jwk });
  return `/keys/${name}`;
}
/** A key of the vault's making, and its public part in a file. */
async function created(kind, body) {
  const name = `crossed-${kind.toLowerCase()}-${unique()}`;
  const { key } = await ask('POST', `/keys/${name}/create`, body);
  return { target: `/keys/${name}`, publicKey: crypto.createPublicKey({ format: 'jwk', key: { ...key, crv: key.crv === 'P-256K' ? 'secp256k1' : key.crv, kid: undefined, key_ops: undefined } }) };
}
const pemOf = (key) => file(`${unique()}.pem`, key.export({ type: key.type === 'private' ? 'pkcs8' : 'spki', format: 'pem' }));

const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
const rsaThere = await imported('rsa', rsa.privateKey.export({ format: 'jwk' }));
const rsaMade = await created('rsa', { kty: 'RSA', key_size: 2048 });
for (const bits of [256, 384, 512]) for (const [family, mode] of [['RS', 'pkcs1'], ['PS', 'pss']]) await step(`${family}${bits}`, async () => {
  const hash = `sha${bits}`;
  const digest = crypto.createHash(hash).update(data).digest();
  const options = ['-pkeyopt', `digest:${hash}`, '-pkeyopt', `rsa_padding_mode:${mode}`, ...(mode === 'pss' ? ['-pkeyopt', 'rsa_pss_saltlen:digest'] : [])];
  const how = (key) => (mode === 'pss' ? { key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: bits / 8 } : key);
  for (const [target, publicKey] of [[rsaThere, rsa.publicKey], [rsaMade.target, rsaMade.publicKey]]) {
    const { value } = await ask('POST', `${target}/sign`, { alg: `${family}${bits}`, value: text(digest) });
    must(crypto.verify(hash, data, how(publicKey), bytesOf(value)), 'Node verifies');
    must(openssl(['pkeyutl', '-verify', '-pubin', '-inkey', pemOf(publicKey), '-sigfile', file('signature', bytesOf(value)), ...options], digest).includes('Success'), 'openssl verifies');
  }
  const theirs = { openssl: openssl(['pkeyutl', '-sign', '-inkey', pemOf(rsa.privateKey), ...options], digest), Node: crypto.sign(hash, data, how(rsa.privateKey)) };
  for (const [who, signature] of Object.entries(theirs)) {
    const verify = async (value) => (await ask('POST', `${rsaThere}/verify`, { alg: `${family}${bits}`, digest: text(digest), value: text(value) })).value;
    equal(await verify(signature), true, `the vault verifies what ${who} signed`);
    signature[7] ^= 1;
    equal(await verify(signature), false, 'and nothing else');
  }
});

/** r ‖ s as DER, and back. */
const derOf = (signature) => {
  const number = (half) => { let at = 0; while (at < half.length - 1 && !half[at]) at++; const bare = half.subarray(at); const whole = bare[0] & 0x80 ? Buffer.concat([Buffer.alloc(1), bare]) : bare; return Buffer.concat([Buffer.from([2, whole.length]), whole]); };
  const body = Buffer.concat([number(signature.subarray(0, signature.length / 2)), number(signature.subarray(signature.length / 2))]);
  return Buffer.concat([Buffer.from(body.length < 128 ? [0x30, body.length] : [0x30, 0x81, body.length]), body]);
};
const plainOf = (der, half) => {
  let at = der[1] & 0x80 ? 3 : 2;
  const numbers = [];
  for (let i = 0; i < 2; i++) { const length = der[at + 1]; const whole = der.subarray(at + 2, at + 2 + length); numbers.push(Buffer.concat([Buffer.alloc(half), whole]).subarray(-half)); at += 2 + length; }
  return Buffer.concat(numbers);
};
for (const [alg, crv, namedCurve, hash, half] of [['ES256', 'P-256', 'P-256', 'sha256', 32], ['ES384', 'P-384', 'P-384', 'sha384', 48], ['ES512', 'P-521', 'P-521', 'sha512', 66], ['ES256K', 'P-256K', 'secp256k1', 'sha256', 32]]) await step(alg, async () => {
  const pair = crypto.generateKeyPairSync('ec', { namedCurve });
  const there = await imported(alg, { ...pair.privateKey.export({ format: 'jwk' }), crv });
  const made = await created(alg, { kty: 'EC', crv });
  const digest = crypto.createHash(hash).update(data).digest();
  for (const [target, publicKey] of [[there, pair.publicKey], [made.target, made.publicKey]]) {
    const signature = bytesOf((await ask('POST', `${target}/sign`, { alg, value: text(digest) })).value);
    equal(signature.length, 2 * half, 'its length');
    must(crypto.verify(hash, data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature), 'Node verifies');
    must(openssl(['pkeyutl', '-verify', '-pubin', '-inkey', pemOf(publicKey), '-sigfile', file('signature', derOf(signature))], digest).includes('Success'), 'openssl verifies');
  }
  const theirs = { openssl: plainOf(openssl(['pkeyutl', '-sign', '-inkey', pemOf(pair.privateKey)], digest), half), Node: crypto.sign(hash, data, { key: pair.privateKey, dsaEncoding: 'ieee-p1363' }) };
  for (const [who, signature] of Object.entries(theirs)) {
    const verify = async (value) => (await ask('POST', `${there}/verify`, { alg, digest: text(digest), value: text(value) })).value;
    equal(await verify(signature), true, `the vault verifies what ${who} signed`);
    signature[half - 1] ^= 1;
    equal(await verify(signature), false, 'and nothing else');
  }
});

for (const [alg, words, options] of [['RSA-OAEP', ['-pkeyopt', 'rsa_padding_mode:oaep', '-pkeyopt', 'rsa_oaep_md:sha1', '-pkeyopt', 'rsa_mgf1_md:sha1'], { oaepHash: 'sha1' }],
  ['RSA-OAEP-256', ['-pkeyopt', 'rsa_padding_mode:oaep', '-pkeyopt', 'rsa_oaep_md:sha256', '-pkeyopt', 'rsa_mgf1_md:sha256'], { oaepHash: 'sha256' }],
  ['RSA1_5', ['-pkeyopt', 'rsa_padding_mode:pkcs1'], { padding: crypto.constants.RSA_PKCS1_PADDING }]]) await step(alg, async () => {
  const word = crypto.randomBytes(32);
  for (const [there, back] of [['encrypt', 'decrypt'], ['wrapkey', 'unwrapkey']]) {
    const sealed = bytesOf((await ask('POST', `${rsaThere}/${there}`, { alg, value: text(word) })).value);
    must(openssl(['pkeyutl', '-decrypt', '-inkey', pemOf(rsa.privateKey), ...words], sealed).equals(word), `openssl opens what ${there} made`);
    if (options.oaepHash) must(crypto.privateDecrypt({ key: rsa.privateKey, ...options }, sealed).equals(word), 'Node opens it');
    for (const [target, publicKey] of [[rsaThere, rsa.publicKey], [rsaMade.target, rsaMade.publicKey]]) {
      for (const theirs of [openssl(['pkeyutl', '-encrypt', '-pubin', '-inkey', pemOf(publicKey), ...words], word), crypto.publicEncrypt({ key: publicKey, ...options }, word)]) {
        must(bytesOf((await ask('POST', `${target}/${back}`, { alg, value: text(theirs) })).value).equals(word), `${back} opens what others made`);
      }
    }
  }
});

for (const bits of [128, 192, 256]) {
  const key = crypto.randomBytes(bits / 8);
  const there = await imported(`oct-${bits}`, { kty: 'oct', k: text(key) });
  const iv = crypto.randomBytes(16);
  const whole = (cipher, bytes) => Buffer.concat([cipher.update(bytes), cipher.final()]);
  await step(`A${bits}KW`, async () => {
    const word = crypto.randomBytes(32);
    const start = Buffer.alloc(8, 0xa6);
    const { value } = await ask('POST', `${there}/wrapkey`, { alg: `A${bits}KW`, value: text(word) });
    must(whole(crypto.createDecipheriv(`id-aes${bits}-wrap`, key, start), bytesOf(value)).equals(word), 'Node unwraps');
    const theirs = whole(crypto.createCipheriv(`id-aes${bits}-wrap`, key, start), word);
    equal(value, text(theirs), 'the same, as it has no random part');
    must(bytesOf((await ask('POST', `${there}/unwrapkey`, { alg: `A${bits}KW`, value: text(theirs) })).value).equals(word), 'the vault unwraps');
  });
  await step(`A${bits}GCM`, async () => {
    const aad = Buffer.from('beside');
    const answer = await ask('POST', `${there}/encrypt`, { alg: `A${bits}GCM`, value: text(data), aad: text(aad) });
    const opener = crypto.createDecipheriv(`aes-${bits}-gcm`, key, bytesOf(answer.iv)).setAAD(aad).setAuthTag(bytesOf(answer.tag));
    must(whole(opener, bytesOf(answer.value)).equals(data), 'Node decrypts');
    const sealer = crypto.createCipheriv(`aes-${bits}-gcm`, key, iv.subarray(0, 12)).setAAD(aad);
    const value = whole(sealer, data);
    must(bytesOf((await ask('POST', `${there}/decrypt`, { alg: `A${bits}GCM`, value: text(value), iv: text(iv.subarray(0, 12)), aad: text(aad), tag: text(sealer.getAuthTag()) })).value).equals(data), 'the vault decrypts');
  });
  for (const [alg, isPadded] of [[`A${bits}CBC`, false], [`A${bits}CBCPAD`, true]]) await step(alg, async () => {
    const bytes = isPadded ? data : Buffer.alloc(48, 'b');
    const words = [`-aes-${bits}-cbc`, '-K', key.toString('hex'), '-iv', iv.toString('hex'), ...(isPadded ? [] : ['-nopad'])];
    const { value } = await ask('POST', `${there}/encrypt`, { alg, value: text(bytes), iv: text(iv) });
    must(openssl(['enc', '-d', ...words], bytesOf(value)).equals(bytes), 'openssl decrypts');
    must(whole(crypto.createDecipheriv(`aes-${bits}-cbc`, key, iv).setAutoPadding(isPadded), bytesOf(value)).equals(bytes), 'Node decrypts');
    const theirs = openssl(['enc', ...words], bytes);
    must(bytesOf((await ask('POST', `${there}/decrypt`, { alg, value: text(theirs), iv: text(iv) })).value).equals(bytes), 'the vault decrypts');
  });
}
finish();

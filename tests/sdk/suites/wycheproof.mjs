// Wycheproof's vectors on the wire: their keys are imported, and each algorithm of the keys API must open, verify and refuse what the
// vectors say. An RSA signature's vectors come without their private keys, which an import needs: the padded block inside each
// (signature^e mod n) is signed by a key that we have, which leaves what is tested as it was. What cannot be sent is counted.
import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { suite, step, finish, must, equal, installation, credential, unique } from '../steps.mjs';

suite('wycheproof');
const vectors = path.join(import.meta.dirname, '..', '..', '..', '..', 'shared', 'vectors');
if (!fs.existsSync(vectors)) {
  console.log(`skip ${process.env.STRONGROOM_SUITE ?? 'sdk'}.wycheproof (no shared vectors beside this checkout)`);
  finish();
}
const { vaultUrl } = installation.client;
const inFlight = 16;
const agent = new https.Agent({ keepAlive: true, maxSockets: inFlight });
const { token } = await credential().getToken('https://vault.azure.net/.default');
const groupsOf = (name) => JSON.parse(fs.readFileSync(path.join(vectors, `${name}_test.json`))).testGroups;
const hex = (text) => Buffer.from(text, 'hex').toString('base64url');

/** One request with a JSON body; gives its status and the parsed answer. */
function ask(method, target, body) {
  return new Promise((resolve, reject) => {
    const text = body ? JSON.stringify(body) : '';
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const request = https.request(`${vaultUrl}${target}?api-version=7.4`, { method, agent, headers }, (response) => {
      let got = '';
      response.setEncoding('utf8');
      response.on('data', (piece) => { got += piece; });
      response.on('end', () => resolve({ status: response.statusCode, answer: got ? JSON.parse(got) : {} }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(text);
  });
}

const made = new Set();
/** Imports a private JWK as the newest version of a key; gives its path. */
async function imported(name, jwk) {
  made.add(name);
  const { status, answer } = await ask('PUT', `/keys/${name}`, { key: jwk });
  equal(status, 200, `import into ${name}: ${JSON.stringify(answer).slice(0, 200)}`);
  return new URL(answer.key.kid).pathname;
}
async function purgeAll() {
  for (const name of made) {
    equal((await ask('DELETE', `/keys/${name}`)).status, 200, `delete ${name}`);
    equal((await ask('DELETE', `/deletedkeys/${name}`)).status, 204, `purge ${name}`);
  }
  made.clear();
}

/** Runs `work` on every item, some at a time. */
async function each(items, work) {
  const left = [...items];
  await Promise.all([...Array(inFlight)].map(async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  }));
}

/** What was sent and what was not, and why. */
class Tally {
  constructor(file) {
    Object.assign(this, { file, valid: 0, invalid: 0, either: 0, left: {} });
  }

  leave(why, count = 1) {
    this.left[why] = (this.left[why] ?? 0) + count;
  }

  /** An answer that gave something (`gave`), or nothing; `isRight` says whether it is what the vector tells. */
  judge({ tcId, result, comment }, { status, answer }, gave, isRight) {
    const what = `${this.file} ${tcId} (${result}, ${comment})`;
    must(status === 200 || (status >= 400 && status < 500), `${what}: ${status}`);
    if (status !== 200) must(answer.error?.code && answer.error?.message, `${what}: an error in Key Vault's shape`);
    if (gave && result !== 'invalid') must(isRight, `${what}: another result than the vector's`);
    if (result === 'valid') must(gave, `${what} was refused: ${JSON.stringify(answer)}`);
    if (result === 'invalid') must(!gave, `${what} was taken`);
    this[result === 'acceptable' ? 'either' : result]++;
  }

  say() {
    const sent = this.valid + this.invalid + this.either;
    const left = Object.entries(this.left).map(([why, count]) => `${count} ${why}`).join(', ');
    console.log(`     ${this.file}: ${sent} sent (${this.valid} valid, ${this.invalid} invalid, ${this.either} either)${left ? `; not sent: ${left}` : ''}`);
    must(sent > 0, `vectors of ${this.file} were sent`);
  }
}

/** A step with each file of a kind, whose keys are purged after it. */
async function withFiles(name, files, work) {
  await step(name, async () => {
    try {
      for (const file of files) {
        const tally = new Tally(file);
        await work(groupsOf(file), tally, file);
        tally.say();
      }
    } finally {
      await purgeAll();
    }
  }, 180);
}

const opens = async (key, operation, tally, test, body) => {
  const got = await ask('POST', `${key}/${operation}`, body);
  tally.judge(test, got, got.status === 200, got.answer.value === hex(test.msg));
};
const oaepNames = { 'SHA-1': 'RSA-OAEP', 'SHA-256': 'RSA-OAEP-256' };
const sizes = [2048, 3072, 4096];
await withFiles('rsa_encryption', ['rsa_oaep_2048_sha1_mgf1sha1', 'rsa_oaep_2048_sha256_mgf1sha256', 'rsa_oaep_3072_sha256_mgf1sha256', 'rsa_oaep_4096_sha256_mgf1sha256', 'rsa_oaep_misc', 'rsa_pkcs1_2048'], async (groups, tally) => {
  const name = `wy-rsa-${unique()}`;
  for (const { privateKeyJwk: jwk, keySize, sha, mgfSha, type, tests } of groups) {
    const alg = type === 'RsaesPkcs1Decrypt' ? 'RSA1_5' : oaepNames[sha];
    if (!sizes.includes(keySize)) {
      if (jwk) must((await ask('PUT', `/keys/${name}-odd`, { key: { ...jwk, alg: undefined, kid: undefined } })).status === 400, `a key of ${keySize} bits is refused`);
      tally.leave('with a key size that the service has not', tests.length);
    } else if (!alg || (mgfSha && sha !== mgfSha)) {
      tally.leave('with hashes that no algorithm of the service has', tests.length);
    } else {
      const key = await imported(name, jwk);
      await each(tests, async (test) => {
        if (test.label) return tally.leave('with an OAEP label');
        if (!test.ct) return tally.leave('with no ciphertext');
        await opens(key, 'decrypt', tally, test, { alg, value: hex(test.ct) });
        if (test.result === 'valid' && test.tcId % 8 === 0) await opens(key, 'unwrapkey', new Tally(tally.file), test, { alg, value: hex(test.ct) });
      });
    }
  }
});

const keysOfOurs = () => Object.fromEntries(sizes.map((size) => [size, groupsOf(`rsa_oaep_${size}_sha256_mgf1sha256`)[0].privateKeyJwk]));
const raw = { padding: crypto.constants.RSA_NO_PADDING };
/** The signature of our key over the padded block in `sig`; as it is where it has none; undefined where the block is too large for our key. */
function transplanted(sig, theirs, ours, size) {
  if (sig.length !== size / 8) return sig;
  let block;
  try {
    block = crypto.publicDecrypt({ key: theirs, ...raw }, sig);
  } catch {
    return sig; // not below the modulus: so it is for ours, or it is some number that signs nothing
  }
  try {
    return crypto.privateEncrypt({ key: ours, ...raw }, block);
  } catch {
    return undefined;
  }
}
await withFiles('rsa_signatures', ['rsa_signature_2048_sha256', 'rsa_signature_2048_sha384', 'rsa_signature_2048_sha512', 'rsa_signature_3072_sha256', 'rsa_signature_4096_sha256',
  'rsa_pss_2048_sha256_mgf1_32', 'rsa_pss_2048_sha384_mgf1_48', 'rsa_pss_4096_sha512_mgf1_64'], async (groups, tally, file) => {
  const name = `wy-sig-${unique()}`;
  const jwks = keysOfOurs();
  for (const { keySize, sha, type, publicKeyPem, tests } of groups) {
    const theirs = crypto.createPublicKey(publicKeyPem);
    const ours = crypto.createPrivateKey({ format: 'jwk', key: jwks[keySize] });
    const key = await imported(name, jwks[keySize]);
    const alg = `${type === 'RsassaPssVerify' ? 'PS' : 'RS'}${sha.replace('SHA-', '')}`;
    await each(tests, async (test) => {
      const value = transplanted(Buffer.from(test.sig, 'hex'), theirs, ours, keySize);
      if (!value) return tally.leave('whose block our modulus is too small for');
      if (!value.length) return tally.leave('with no signature');
      const digest = crypto.createHash(sha.replace('-', '')).update(Buffer.from(test.msg, 'hex')).digest('base64url');
      const got = await ask('POST', `${key}/verify`, { alg, digest, value: value.toString('base64url') });
      tally.judge(test, got, got.answer.value === true, true);
    });
  }
  must(tally.valid > 0 && tally.invalid > 20, `valid and invalid ones of ${file}`);
});

/** The private JWK of a modulus and its two exponents: the factors follow from them. */
function wholeKey({ modulus, publicExponent, privateExponent }) {
  const [n, e, d] = [modulus, publicExponent, privateExponent].map((text) => BigInt(`0x${text}`));
  const power = (base, exponent) => {
    let result = 1n;
    for (let left = exponent, square = base % n; left > 0n; left >>= 1n, square = (square * square) % n) if (left & 1n) result = (result * square) % n;
    return result;
  };
  const gcd = (a, b) => (b ? gcd(b, a % b) : a);
  const inverse = (a, m) => { let [r, s, x, y] = [a % m, m, 1n, 0n]; while (s) { const q = r / s; [r, s, x, y] = [s, r - q * s, y, x - q * y]; } return ((x % m) + m) % m; };
  let odd = e * d - 1n;
  while (!(odd & 1n)) odd >>= 1n;
  for (let g = 2n; ; g++) {
    for (let x = power(g, odd), last; x !== 1n; x = (x * x) % n) {
      last = x;
      if (last === n - 1n) break;
      if ((last * last) % n !== 1n) continue;
      const p = gcd(last - 1n, n);
      const q = n / p;
      const text = (number) => hex(number.toString(16).padStart(number.toString(16).length + (number.toString(16).length % 2), '0'));
      return { kty: 'RSA', n: text(n), e: text(e), d: text(d), p: text(p), q: text(q), dp: text(d % (p - 1n)), dq: text(d % (q - 1n)), qi: text(inverse(q, p)) };
    }
  }
}
await withFiles('rsa_signing', ['rsa_pkcs1_2048_sig_gen'], async (groups, tally) => {
  for (const { privateKey, sha, tests } of groups) {
    const alg = { 'SHA-256': 'RS256', 'SHA-384': 'RS384', 'SHA-512': 'RS512' }[sha];
    if (!alg) {
      tally.leave('with a hash that no algorithm of the service has', tests.length);
      continue;
    }
    const key = await imported(`wy-gen-${unique()}`, wholeKey(privateKey));
    await each(tests, async (test) => {
      const digest = crypto.createHash(sha.replace('-', '')).update(Buffer.from(test.msg, 'hex')).digest('base64url');
      const got = await ask('POST', `${key}/sign`, { alg, value: digest });
      tally.judge(test, got, got.status === 200, got.answer.value === hex(test.sig));
    });
  }
});

const curves = { secp256r1: ['P-256', 'ES256'], secp384r1: ['P-384', 'ES384'], secp521r1: ['P-521', 'ES512'], secp256k1: ['P-256K', 'ES256K'] };
await withFiles('ec_signatures', ['ecdsa_secp256r1_sha256_p1363', 'ecdsa_secp384r1_sha384_p1363', 'ecdsa_secp521r1_sha512_p1363', 'ecdsa_secp256k1_sha256_p1363'], async (groups, tally, file) => {
  const [crv, alg] = curves[file.split('_')[1]];
  const namedCurve = crv === 'P-256K' ? 'secp256k1' : crv;
  const own = crypto.generateKeyPairSync('ec', { namedCurve });
  const key = await imported(`wy-ec-${unique()}`, { ...own.privateKey.export({ format: 'jwk' }), crv });
  const [{ publicKeyJwk }] = groups;
  must((await ask('PUT', `/keys/wy-public-${unique()}`, { key: { ...publicKeyJwk, crv, kid: undefined } })).status === 400, 'a public key alone is not imported');
  for (const { sha, tests } of groups) await each(tests, async (test) => {
    if (test.result === 'valid') return tally.leave('whose key is known by its public part alone');
    if (!test.sig) return tally.leave('with no signature');
    const digest = crypto.createHash(sha.replace('-', '')).update(Buffer.from(test.msg, 'hex')).digest('base64url');
    const got = await ask('POST', `${key}/verify`, { alg, digest, value: hex(test.sig) });
    tally.judge(test, got, got.answer.value === true, true);
  });
  const digest = crypto.createHash('sha256').update('ours').digest(); // the key that refused them all takes a true one
  const long = Buffer.concat([digest, digest]).subarray(0, { ES384: 48, ES512: 64 }[alg] ?? 32);
  const signed = (await ask('POST', `${key}/sign`, { alg, value: long.toString('base64url') })).answer.value;
  equal((await ask('POST', `${key}/verify`, { alg, digest: long.toString('base64url'), value: signed })).answer.value, true, 'its own signature');
});
const hashes = { RS256: 'sha256', RS384: 'sha384', RS512: 'sha512', PS256: 'sha256', PS384: 'sha384', PS512: 'sha512', ES256: 'sha256', ES521: 'sha512', ES512: 'sha512' };
await withFiles('signatures_of_jose', ['json_web_signature'], async (groups, tally) => {
  for (const { private: jwk, tests } of groups) {
    const alg = jwk.alg === 'ES521' ? 'ES512' : jwk.alg;
    if (!hashes[alg] || (jwk.kty === 'RSA' && Buffer.from(jwk.n, 'base64url').length < 256)) {
      tally.leave(hashes[alg] ? 'with a key size that the service has not' : 'with an algorithm that the service has not', tests.length);
      continue;
    }
    const key = await imported(`wy-jose-${unique()}`, { ...jwk, alg: undefined, use: undefined, kid: undefined, key_ops: undefined });
    await each(tests, async (test) => {
      const parts = typeof test.jws === 'string' ? test.jws.split('.') : [];
      let header;
      try {
        header = JSON.parse(Buffer.from(parts[0], 'base64url'));
      } catch { /* no header at all */ }
      // Of a JWS only the signature over its first two parts is the service's business.
      if (parts.length !== 3 || header?.alg !== jwk.alg || !parts[2] || (test.result === 'invalid' && !/signature|pss|pkcs|modified/i.test(`${test.comment} ${test.flags}`))) return tally.leave('that are wrong in a way that a signature has no part in');
      const digest = crypto.createHash(hashes[alg]).update(`${parts[0]}.${parts[1]}`).digest('base64url');
      const got = await ask('POST', `${key}/verify`, { alg, digest, value: parts[2] });
      tally.judge(test, got, got.answer.value === true, true);
    });
  }
});

const isKeySize = (test) => [16, 24, 32].includes(test.key.length / 2);
await withFiles('aes', ['aes_wrap', 'aes_gcm', 'aes_cbc_pkcs5'], async (groups, tally, file) => {
  const suffix = { aes_wrap: 'KW', aes_gcm: 'GCM', aes_cbc_pkcs5: 'CBCPAD' }[file];
  for (const { keySize, ivSize, tagSize, tests } of groups) {
    const alg = `A${keySize}${suffix}`;
    const name = `wy-oct-${unique()}`;
    await each(tests, async (test) => {
      if (!isKeySize(test)) return tally.leave('with a key size that the service has not');
      if (!test.ct) return tally.leave('with nothing to open');
      const key = await imported(name, { kty: 'oct', k: hex(test.key) });
      const parts = { alg, value: hex(test.ct), ...(test.iv && { iv: hex(test.iv) }), ...(test.aad && { aad: hex(test.aad) }), ...(test.tag && { tag: hex(test.tag) }) };
      if (suffix === 'GCM' && (ivSize !== 96 || tagSize !== 128)) {
        const { status } = await ask('POST', `${key}/decrypt`, parts);
        equal(status, 400, `${tally.file} ${test.tcId}: a nonce of ${ivSize} bits`);
        return tally.leave('with a nonce or tag of another size, each refused');
      }
      await opens(key, suffix === 'KW' ? 'unwrapkey' : 'decrypt', tally, test, parts);
      if (test.result !== 'valid' || !test.msg || suffix === 'GCM') return;
      const there = await ask('POST', `${key}/${suffix === 'KW' ? 'wrapkey' : 'encrypt'}`, { ...parts, value: hex(test.msg) });
      equal(there.answer.value, hex(test.ct), `${tally.file} ${test.tcId}: the same ciphertext`);
    });
  }
});
finish();

// The root of trust: an installation under each provider of root keys starts sealed where a person is needed, says so, serves once
// it is unsealed, changes from any provider to any other while data services go on, and keeps nothing when it is sealed.
import { spawn, spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { ClientSecretCredential } from '@azure/identity';
import { KeyClient } from '@azure/keyvault-keys';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { Installation } from '../installation.mjs';
import { findInMemory } from '../memory.mjs';
import { Token } from '../softhsm.mjs';
import { Tpm } from '../swtpm.mjs';
import { suite, step, finish, must, equal, refused, raw, sleep, slowness, installation } from '../steps.mjs';

suite('root');
const isRoot = process.getuid() === 0;
const passphrase = 'correct horse battery staple';
const pin = '2468';
const tpm = await new Tpm().start();
const token = new Token();
const settings = { ...token.settings, tpm: tpm.tcti };

const caOf = (own) => fs.readFileSync(own.client.caFile);
function clients(own) {
  const { client } = own;
  const options = { tlsOptions: { ca: caOf(own).toString() }, retryOptions: { maxRetries: 0 } };
  const credential = new ClientSecretCredential(client.tenant, client.clientId, client.clientSecret, { authorityHost: client.authority, disableInstanceDiscovery: true, ...options });
  return { keys: new KeyClient(client.vaultUrl, credential, { disableChallengeResourceVerification: true, ...options }) };
}
const blobs = (own, account) => new BlobServiceClient(`${own.client.blobEndpoint}/${account.name}`, new StorageSharedKeyCredential(account.name, account.key1),
  { tlsOptions: { ca: caOf(own).toString() }, retryOptions: { maxTries: 1 } });
const health = async (own) => {
  // While it is sealed the vault has no certificate that anybody trusts.
  const answer = await insecure(`${own.client.vaultUrl}/healthstatus`);
  return { code: answer.status, ...JSON.parse(answer.body) };
};
function insecure(url) {
  const { hostname, port, pathname, search } = new URL(url);
  return import('node:https').then(({ request }) => new Promise((resolve, reject) => {
    request({ hostname, port, path: pathname + search, rejectUnauthorized: false, agent: false }, (response) => {
      let body = '';
      response.on('data', (text) => { body += text; });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
    }).on('error', reject).end();
  }));
}
async function serving(own) {
  for (let i = 0; i < 200 * slowness; i++) {
    if (own.log.includes('serving:')) return;
    await sleep(50);
  }
  throw new Error(`it does not serve:\n${own.log.slice(-2000)}`);
}
async function sealedSaysSo(own, root) {
  const answer = await insecure(`${own.client.vaultUrl}/keys?api-version=7.4`);
  equal(answer.status, 503, 'status of the keys API');
  const { error } = JSON.parse(answer.body);
  equal(error.code, 'ServiceUnavailable', 'code');
  equal(error.innererror.code, 'VaultSealed', 'inner code');
  must(error.message.includes('sealed') && error.message.includes('strongroom unseal'), error.message);
  const state = await health(own);
  equal(state.code, 503, 'status of health');
  equal(state.status, 'Sealed', 'health');
  equal(state.sealed, true, 'sealed');
  equal(state.root, root, 'provider');
  const status = own.run(['status'], { allowFailure: true });
  equal(status.status, 1, 'strongroom status');
  must(/vault\s+sealed/.test(status.stdout) && status.stdout.includes('strongroom unseal'), status.stdout);
  must(own.run(['key', 'list'], { allowFailure: true }).stderr.includes('sealed'), 'other commands say so');
  for (const origin of [own.client.authority, own.client.blobEndpoint]) {
    if (!own.log.includes('serving:')) await insecure(`${origin}/`).then(() => { throw new Error(`${origin} answers`); }, (error_) => equal(error_.code, 'ECONNREFUSED', origin));
  }
}
async function sdkWorks(own) {
  const { keys } = clients(own);
  let key;
  for (let i = 0; !key; i++) { // the vault follows identity's directory some moments after both serve
    key = await keys.createKey('proof', 'oct', { keySize: 256 }).catch((error) => { if (error.statusCode !== 503 || i === 50 * slowness) throw error; });
    if (!key) await sleep(100);
  }
  equal((await keys.getKey('proof')).properties.version, key.properties.version, 'version');
}
const shareLines = (shares) => `${shares.join('\n')}\n`;

// ---- an installation by each provider ----

const ways = {
  file: { words: [], sealed: false },
  passphrase: { words: ['--root', 'passphrase'], input: `${passphrase}\n`, sealed: true, wrong: 'correct horse battery stable\n', right: () => `${passphrase}\n` },
  shares: { words: ['--root', 'shares=2/3'], sealed: true, right: (own) => `${own.client.shares[2]}\n`, before: (own) => `${own.client.shares[0]}\n` },
  tpm: { words: ['--root', 'tpm', '--tpm-pcrs', 'sha256:0,16'], sealed: false },
  'tpm-with-pin': { root: 'tpm', words: ['--root', 'tpm', '--pin'], input: `${pin}\n`, sealed: true, wrong: '1357\n', right: () => `${pin}\n` },
  pkcs11: { words: ['--root', 'pkcs11'], sealed: false },
};
for (const [name, way] of Object.entries(ways)) await step(`installation_under_${name}_opens_again_and_serves`, async () => {
  const root = way.root ?? name;
  const own = new Installation(installation.binary, { settings });
  try {
    await own.init(way);
    const written = spawnSync('grep', ['-rlF', way.input?.trim() || 'no passphrase is here', own.state], { encoding: 'utf8' }).stdout;
    equal(written, '', 'files that hold what was given');
    equal(fs.existsSync(path.join(own.state, 'root', 'root.key')), root === 'file', 'a root key file');
    await own.serve({ sealed: way.sealed });
    if (way.sealed) {
      await sealedSaysSo(own, root);
      if (way.wrong) must(/passphrase|PIN/.test(own.run(['unseal'], { allowFailure: true, input: way.wrong }).stderr), 'what is wrong is refused');
      if (way.before) {
        must(own.run(['unseal'], { input: way.before(own) }).stdout.includes('1 of 2'), 'progress is told');
        equal((await health(own)).given, 1, 'progress of the health path');
        must(own.run(['unseal'], { input: way.before(own) }).stdout.includes('1 of 2'), 'the same share again is no progress');
        own.run(['unseal', '--reset']);
        equal((await health(own)).given, 0, 'reset');
        own.run(['unseal'], { input: way.before(own) });
      }
      must(own.run(['unseal'], { input: way.right(own) }).stdout.includes('open'), 'unsealed');
      await serving(own);
      must(own.run(['audit', 'show', '--limit', '1000']).stdout.includes('VaultUnseal'), 'the unsealing is in the audit log');
    }
    equal((await raw(own.client.vaultUrl, { path: '/healthstatus', ca: caOf(own) })).status, 200, 'health');
    equal(own.json(['root', 'show']).root, root, 'root show');
    await sdkWorks(own);
    equal((await own.stop()).code, 0, 'a clean stop');
  } finally {
    await own.stop();
    own.remove();
  }
});

// ---- one installation, every change ----

const own = await new Installation(installation.binary, { settings }).init();
process.once('exit', () => own.remove());
await own.serve();
const account = own.json(['account', 'create', 'data']);
const container = blobs(own, account).getContainerClient('files');
await container.create();
await container.getBlockBlobClient('small').upload('small', 5);
let shares;

/** One change of the root key by the command line; the provider's name as init has it. */
async function change(to, how = 'migrate') {
  const words = how === 'rekey' ? ['root', 'rekey'] : ['root', 'migrate', to === 'shares' ? 'shares=2/3' : to];
  const child = spawn(own.binary, [...words, '--format', 'json', '--state', own.state], { stdio: ['pipe', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (text) => { printed += text; });
  child.stdin.on('error', () => {}); // one that needs nothing does not read
  child.stdin.end(to === 'passphrase' ? `${passphrase}\n` : '');
  equal(await new Promise((resolve) => child.once('close', resolve)), 0, `root ${how} ${to}`);
  const documents = printed.split(/(?<=^\}\n)/m).map((text) => JSON.parse(text)); // new shares come first, in a document of their own
  const report = documents.at(-1);
  equal(report.root, to, 'the new provider');
  equal(report.left, '', 'what is left');
  if (to === 'shares') shares = documents[0].shares;
  equal(own.json(['root', 'show']).root, to, 'root show');
}
const opening = { passphrase: () => `${passphrase}\n`, shares: () => shareLines(shares.slice(0, 2)) };
/** Stops and starts the services, and gives what the provider needs. */
async function restart(root) {
  equal((await own.stop()).code, 0, 'a clean stop');
  own.log = '';
  await own.serve({ sealed: root in opening });
  if (root in opening) {
    own.run(['unseal'], { input: opening[root]() });
    await serving(own);
  }
}

await step('every_provider_gives_way_to_every_other_while_data_services_serve', async () => {
  // A walk over all pairs, a provider and itself included, each change beginning where the last one ended (Hierholzer).
  const names = ['file', 'passphrase', 'shares', 'tpm', 'pkcs11'];
  const left = new Map(names.map((name) => [name, [...names]]));
  const walk = [];
  for (const trail = ['file']; trail.length;) {
    const here = left.get(trail.at(-1));
    if (here.length) trail.push(here.pop());
    else walk.unshift(trail.pop());
  }
  equal(new Set(walk.slice(1).map((to, i) => `${walk[i]} ${to}`)).size, names.length ** 2, 'pairs in the walk');
  const { vault } = own.pids();
  let failures = 0;
  let reads = 0;
  let running = true;
  const reader = (async () => {
    while (running) {
      await container.getBlockBlobClient('small').downloadToBuffer().then(() => { reads++; }, () => { failures++; });
      await sleep(5);
    }
  })();
  try {
    for (let i = 1; i < walk.length; i++) await change(walk[i], walk[i] === walk[i - 1] ? 'rekey' : 'migrate');
  } finally {
    running = false;
    await reader;
  }
  equal(failures, 0, `failed reads beside ${reads}`);
  must(reads > 10, `${reads} reads`);
  equal(own.pids().vault, vault, 'the vault was not restarted');
  await restart(walk.at(-1));
  equal((await container.getBlockBlobClient('small').downloadToBuffer()).toString(), 'small', 'readable after a restart');
}, 180);
await step('what_opened_the_vault_before_a_change_opens_it_no_more', async () => {
  await change('shares');
  const old = shares;
  await change('shares', 'rekey');
  await own.stop();
  own.log = '';
  await own.serve({ sealed: true });
  const refusedOld = own.run(['unseal'], { allowFailure: true, input: shareLines(old.slice(0, 2)) });
  must(refusedOld.status !== 0 && refusedOld.stderr.includes('another set'), refusedOld.stderr);
  own.run(['unseal'], { input: shareLines(shares.slice(1, 3)) });
  await serving(own);
});
await step('guessing_is_slowed_down', async () => {
  await change('passphrase');
  await own.stop();
  own.log = '';
  await own.serve({ sealed: true });
  const answers = [];
  for (let i = 0; i < 5; i++) answers.push(own.run(['unseal'], { allowFailure: true, input: `no passphrase of ours ${i}\n` }));
  must(answers.every((answer) => answer.status !== 0), 'all refused');
  must(answers[0].stderr.includes('does not open'), answers[0].stderr);
  must(answers[4].stderr.includes('try again in'), answers[4].stderr);
  must(own.run(['unseal'], { allowFailure: true, input: `${passphrase}\n` }).stderr.includes('try again in'), 'the right one waits too');
  await sleep(1100);
  own.run(['unseal'], { input: `${passphrase}\n` });
  await serving(own);
});
await step('passphrase_is_not_shown_as_it_is_typed', async () => {
  await own.stop();
  own.log = '';
  await own.serve({ sealed: true });
  const script = `import os, pty, sys, time
pid, fd = pty.fork()
if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
seen = b''
while b': ' not in seen: seen += os.read(fd, 4096)
os.write(fd, ${JSON.stringify(passphrase)}.encode() + b'\\n')
try:
    while True:
        got = os.read(fd, 4096)
        if not got: break
        seen += got
except OSError: pass
print(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))`;
  const typed = spawnSync('python3', ['-c', script, own.binary, 'unseal', '--state', own.state], { encoding: 'utf8', timeout: 20000 });
  equal(typed.status, 0, typed.stdout + typed.stderr);
  must(typed.stdout.includes('Passphrase: ') && typed.stdout.includes('open'), typed.stdout);
  must(!typed.stdout.includes(passphrase), 'it is not echoed');
  await serving(own);
});

// ---- sealing ----

/** The keys above the database, from the root key file and the master file, by other code. */
function keysOf(state) {
  const rootKey = Buffer.from(/[0-9a-f]{64}/.exec(fs.readFileSync(path.join(state, 'root', 'root.key'), 'utf8'))[0], 'hex');
  const file = fs.readFileSync(path.join(state, 'vault', 'master'));
  const id = file.subarray(16, 32);
  const first = 32 + file.readUInt32BE(12);
  const derive = (key, what) => Buffer.from(crypto.hkdfSync('sha256', key, id, `strongroom/v1/vault/${what}`, 32));
  const unwrap = (kek, index) => {
    const cipher = crypto.createDecipheriv('id-aes256-wrap-pad', kek, Buffer.from('A65959A6', 'hex'));
    return Buffer.concat([cipher.update(file.subarray(first + 40 * index, first + 40 * index + 40)), cipher.final()]);
  };
  const master = unwrap(derive(rootKey, 'root'), 0);
  const kek = derive(master, 'keys');
  return { rootKey, rootText: Buffer.from(rootKey.toString('hex')), rootKek: derive(rootKey, 'root'), master, kek, database: unwrap(kek, 1), records: unwrap(kek, 2) };
}
await step('sealed_vault_keeps_no_key_and_services_let_go', async () => {
  await change('file');
  await sdkWorks(own);
  await container.getBlockBlobClient('small').download();
  const known = keysOf(own.state);
  const before = own.pids().vault;
  if (isRoot) {
    const { database, records, ...neverThere } = known; // the ciphers in use hold these two
    equal(findInMemory(before, neverThere).join('; '), '', 'keys above the database in an open vault');
    must(findInMemory(before, { name: Buffer.from('vault.db') }).length > 0, 'the search finds what is there');
  }
  const sealing = own.json(['seal', '--yes']);
  equal(sealing.silent, 0, 'holders that did not let go');
  const error = await refused(container.getBlockBlobClient('small').download());
  must([403, 503].includes(error.statusCode), `reads are refused, with ${error.statusCode}`);
  for (let i = 0; i < 100 * slowness && own.pids().vault === before; i++) await sleep(50);
  await sleep(300);
  must(!fs.existsSync(`/proc/${before}`), 'the process that held the keys is gone');
  if (isRoot) {
    for (const [name, pid] of Object.entries(own.pids())) {
      if (pid) equal(findInMemory(pid, known).join('; '), '', `keys in ${name}'s memory`);
    }
  }
  await sealedSaysSo(own, 'file');
  // by order it stays sealed over a restart, and over a kill, though nobody is needed for its root key
  process.kill(own.pids().vault, 'SIGKILL');
  await sleep(1500);
  await sealedSaysSo(own, 'file');
  own.run(['unseal']);
  let back;
  for (let i = 0; i < 100 * slowness && !back; i++) {
    await sleep(100);
    back = await container.getBlockBlobClient('small').downloadToBuffer().then((bytes) => bytes.toString(), () => undefined);
  }
  equal(back, 'small', 'readable again');
  await sdkWorks(own);
}, 60);

// ---- crashes and damage ----

await step('vault_killed_during_changes_opens_with_the_old_or_the_new_root', async () => {
  let at = 'file';
  for (let i = 0; i < 4; i++) {
    const to = at === 'file' ? 'tpm' : 'file';
    const changing = spawn(own.binary, ['root', 'migrate', to, '--state', own.state], { stdio: 'ignore' }); // which may be in time
    const ended = new Promise((resolve) => changing.once('exit', resolve));
    await sleep(Math.random() * 60);
    process.kill(own.pids().vault, 'SIGKILL');
    await ended;
    for (let k = 0; k < 200 * slowness; k++) {
      const shown = own.run(['root', 'show', '--format', 'json'], { allowFailure: true });
      if (shown.status === 0 && !JSON.parse(shown.stdout).sealed) {
        at = JSON.parse(shown.stdout).root;
        break;
      }
      await sleep(100);
    }
    must(['file', 'tpm'].includes(at), at);
  }
  await sdkWorks(own);
  await change('file');
}, 120);
await step('changed_registers_of_the_platform_keep_the_vault_shut', async () => {
  const bound = new Installation(installation.binary, { settings });
  try {
    await bound.init(ways.tpm);
    tpm.extend(16);
    const { status, stderr } = spawnSync(bound.binary, ['serve', '--state', bound.state], { encoding: 'utf8' });
    equal(status, 1, 'serve ends');
    must(stderr.includes('registers'), stderr.slice(-500));
  } finally {
    bound.remove();
  }
});
await step('damaged_master_file_is_named_and_never_opened', async () => {
  await own.stop();
  const file = path.join(own.state, 'vault', 'master');
  const bytes = fs.readFileSync(file);
  try {
    for (const damaged of [bytes.subarray(0, bytes.length - 1), Buffer.concat([bytes.subarray(0, 40), Buffer.from([bytes[40] ^ 1]), bytes.subarray(41)])]) {
      fs.writeFileSync(file, damaged);
      const { status, stderr } = spawnSync(own.binary, ['serve', '--state', own.state], { encoding: 'utf8' });
      equal(status, 1, 'serve ends');
      must(stderr.includes('master file is damaged'), stderr.slice(-500));
    }
  } finally {
    fs.writeFileSync(file, bytes);
  }
  own.log = '';
  await own.serve();
  await sdkWorks(own);
});
equal(own.run(['verify'], { allowFailure: true }).status, 0, 'verify');
equal(own.run(['audit', 'verify'], { allowFailure: true }).status, 0, 'audit verify');
await own.stop();
await tpm.remove();
token.remove();
finish();

// A backup of a running installation, and what is made of it elsewhere: everything that was acknowledged before it is there, nothing
// of it lies in clear, and what was tampered with does not start.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Installation } from '../installation.mjs';
import { canaries, findCanaries, words } from '../canary.mjs';
import { suite, step, finish, must, equal, installation, raw, sleep } from '../steps.mjs';

suite('backup');
const own = await new Installation(installation.binary).init();
const ground = fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-backup-'));
const repository = path.join(ground, 'repository');
const rootKey = path.join(own.state, 'root', 'root.key');
process.once('exit', () => { own.remove(); fs.rmSync(ground, { recursive: true, force: true }); });
await own.serve();
const { client } = own;
const ca = fs.readFileSync(client.caFile);

const program = (words) => spawnSync(own.binary, words, { encoding: 'utf8' });
async function token() {
  const answer = await raw(client.authority, { ca, method: 'POST', path: `/${client.tenant}/oauth2/v2.0/token`, headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: client.clientId, client_secret: client.clientSecret, scope: 'https://storage.azure.com/.default' }).toString() });
  equal(answer.status, 200, 'token');
  return JSON.parse(answer.body).access_token;
}
let bearer = await token();
const storage = (method, target, body = '', headers = {}) => raw(client.blobEndpoint, { ca, method, path: target, body,
  headers: { authorization: `Bearer ${bearer}`, 'x-ms-version': '2024-08-04', 'x-ms-blob-type': 'BlockBlob', 'content-length': Buffer.byteLength(body), ...headers } });
const contentOf = (name) => `${words.content} ${name} `.repeat(name.startsWith('large') ? 8000 : 40);
async function put(account, name) {
  equal((await storage('PUT', `/${account}/${words.container}/${name}`, contentOf(name), { [`x-ms-meta-${words.metadataName}`]: words.metadata })).status, 201, name);
}
async function mustHave(account, name) {
  const answer = await storage('GET', `/${account}/${words.container}/${name}`);
  equal(answer.status, 200, `${account} ${name}`);
  must(answer.body === contentOf(name), `the content of ${account} ${name}`);
}
function backup() {
  return own.json(['backup', repository]);
}
/** Runs `work` on an installation made from the newest snapshot, while the first one is stopped: both want the same ports. */
async function restored(work, { key = rootKey, spoil = () => {} } = {}) {
  const state = fs.mkdtempSync(path.join(ground, 'restored-'));
  const made = program(['restore', repository, '--state', state, '--root-key-file', key]);
  equal(made.status, 0, made.stderr);
  spoil(state);
  const other = new Installation(own.binary, { state });
  Object.assign(other, { client, ports: own.ports });
  await own.stop();
  try {
    await work(other);
  } finally {
    await other.stop();
    other.remove();
    own.log = '';
    await own.serve();
    bearer = await token();
  }
}

own.run(['key', 'create', words.key]);
for (const account of ['ours', 'theirs']) {
  own.run(['account', 'create', account, ...(account === 'theirs' ? ['--key', words.key] : [])]);
  equal((await storage('PUT', `/${account}/${words.container}?restype=container`)).status, 201, 'container');
  for (let i = 0; i < 8; i++) await put(account, `${i % 2 ? 'large' : 'small'}-${i}`);
}
spawnSync(own.binary, ['secret', 'set', 'kept', '--state', own.state], { input: words.content });

await step('what_was_acknowledged_before_a_backup_is_in_it_while_writing_goes_on', async () => {
  const acknowledged = [];
  let isOver = false;
  const writers = [...Array(4)].map(async (_, writer) => {
    for (let i = 0; !isOver; i++) {
      const name = `${i % 3 ? 'small' : 'large'}-w${writer}-${i}`;
      await put('ours', name);
      acknowledged.push(name);
      if (i % 5 === 4) equal((await storage('DELETE', `/ours/${words.container}/large-w${writer}-${i - i % 3}`)).status < 500, true, 'delete');
    }
  });
  await sleep(300);
  const before = [...acknowledged];
  const taken = await new Promise((resolve, reject) => {
    const child = spawn(own.binary, ['backup', repository, '--state', own.state, '--format', 'json'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (piece) => { text += piece; });
    child.once('close', (code) => (code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`backup ended with ${code}`))));
  });
  isOver = true;
  await Promise.all(writers);
  must(before.length > 4 && taken.files > 8, 'something was written');
  await restored(async (other) => {
    await other.serve();
    bearer = await token();
    for (let i = 0; i < 8; i++) for (const account of ['ours', 'theirs']) await mustHave(account, `${i % 2 ? 'large' : 'small'}-${i}`);
    let found = 0;
    for (const name of before) {
      const answer = await storage('GET', `/ours/${words.container}/${name}`);
      must(answer.status === 200 || answer.status === 404, `${name}: ${answer.status}`); // some were deleted on purpose
      if (answer.status === 200) { must(answer.body === contentOf(name), name); found++; }
    }
    must(found >= before.length / 2, `${found} of ${before.length} are there`);
    equal(other.run(['secret', 'get', 'kept']).stdout, words.content, 'the secret');
    equal(other.run(['verify']).status, 0, 'verify');
    must(other.run(['audit', 'show']).stdout.includes('InstallationRestore'), 'the restore is in the audit log');
    equal(other.run(['audit', 'verify']).status, 0, 'the audit chain holds');
  });
});

await step('a_second_backup_writes_only_what_is_new', async () => {
  const first = backup();
  await put('theirs', 'large-new');
  const second = backup();
  must(second.newBytes > 0, 'something is new');
  must(second.newBytes < first.bytes / 2, `${second.newBytes} of ${second.bytes} bytes are new`);
  equal(own.json(['backup', 'list', repository]).length, 3, 'snapshots');
});

await step('nothing_in_a_backup_is_in_clear_and_the_root_key_is_not_in_it', async () => {
  const forms = canaries(own);
  forms.set('root key', Buffer.from(fs.readFileSync(rootKey, 'utf8').trim().split(' ').pop()));
  forms.set('root key in bytes', Buffer.from(fs.readFileSync(rootKey, 'utf8').trim().split(' ').pop(), 'hex'));
  equal(findCanaries({ state: repository, log: '' }, forms).join(), '', 'canaries');
});

await step('an_account_whose_key_is_away_is_backed_up_and_stays_away', async () => {
  own.run(['key', 'disable', words.key, '--yes']);
  backup();
  await restored(async (other) => {
    await other.serve();
    bearer = await token();
    must((await storage('GET', `/theirs/${words.container}/small-0`)).status === 403, 'the restored account is away too');
    await mustHave('ours', 'small-0');
    other.run(['key', 'enable', words.key]);
    for (let i = 0; i < 100 && (await storage('GET', `/theirs/${words.container}/small-0`)).status !== 200; i++) await sleep(50);
    await mustHave('theirs', 'small-0');
    await mustHave('theirs', 'large-new');
  });
  own.run(['key', 'enable', words.key]);
});

/** The restored installation must not serve, and say why. */
async function mustNotStart(options, pattern) {
  await restored(async (other) => {
    let error;
    await other.serve().catch((caught) => { error = caught; });
    must(error && pattern.test(error.message), `it refuses to start: ${error?.message?.slice(0, 300)}`);
  }, options);
}

await step('parts_of_different_backups_do_not_start', async () => {
  const snapshots = own.json(['backup', 'list', repository]).map((item) => path.join(repository, 'snapshots', item.snapshot));
  const seal = `${snapshots.at(-1)}.seal`;
  const right = fs.readFileSync(seal);
  fs.writeFileSync(seal, fs.readFileSync(`${snapshots[0]}.seal`));
  try {
    await mustNotStart({}, /not what this installation backed up/);
  } finally {
    fs.writeFileSync(seal, right);
  }
});

await step('half_a_restore_does_not_start', async () => {
  await mustNotStart({ spoil: (state) => fs.writeFileSync(path.join(state, 'vault', 'restored'), Buffer.alloc(32)) }, /restoring did not come to its end/);
});

await step('another_root_key_does_not_open_it', async () => {
  const other = path.join(ground, 'other.key');
  fs.writeFileSync(other, `strongroom-root-key-v1 ${'5a'.repeat(32)}\n`, { mode: 0o600 });
  await mustNotStart({ key: other }, /not this installation's root key|root key/);
});

await step('a_damaged_block_is_named_and_nothing_is_restored_over_an_installation', async () => {
  const blocks = fs.readdirSync(path.join(repository, 'blocks')).flatMap((folder) => fs.readdirSync(path.join(repository, 'blocks', folder)).map((name) => path.join(repository, 'blocks', folder, name)));
  const needed = fs.readFileSync(path.join(repository, 'snapshots', own.json(['backup', 'list', repository]).at(-1).snapshot), 'utf8');
  const block = blocks.find((file) => needed.includes(path.basename(file)));
  const bytes = fs.readFileSync(block);
  bytes[bytes.length >> 1] ^= 1;
  fs.writeFileSync(block, bytes);
  const checked = program(['backup', 'verify', repository]);
  must(checked.status !== 0 && checked.stderr.includes(path.basename(block)), `the block is named: ${checked.stderr}`);
  bytes[bytes.length >> 1] ^= 1;
  fs.writeFileSync(block, bytes);
  equal(program(['backup', 'verify', repository]).status, 0, 'whole again');
  const over = program(['restore', repository, '--state', own.state]);
  must(over.status !== 0 && /already/.test(over.stderr), 'an installation is not restored over');
});

await step('a_backup_that_is_killed_leaves_nothing_that_disturbs', async () => {
  for (const delay of [5, 20, 60, 120]) {
    const child = spawn(own.binary, ['backup', repository, '--state', own.state], { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await sleep(delay);
    child.kill('SIGKILL');
    await ended;
  }
  backup();
  equal(program(['backup', 'verify', repository]).status, 0, 'the next one is whole');
  const images = ['vault', 'identity', 'blob', 'workspace', 'run'].filter((name) => fs.existsSync(path.join(own.state, name, 'image')));
  equal(images.join(), '', 'no image is left');
});

await step('pruning_keeps_the_newest_snapshot_whole', async () => {
  equal(program(['backup', 'prune', repository, '--keep', '1']).status, 0, 'prune');
  equal(own.json(['backup', 'list', repository]).length, 1, 'one is left');
  equal(program(['backup', 'verify', repository]).status, 0, 'and it is whole');
});
await own.stop();
finish();

// Running an installation: what the commands print, settings, a root key that is not right, and damage on the disk, which is
// found, named and never served.
import { spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Installation, freePorts } from '../installation.mjs';
import { suite, step, finish, must, equal, installation, raw, sleep } from '../steps.mjs';

suite('operation');
const own = await new Installation(installation.binary).init();
process.once('exit', () => own.remove());
const { client, state } = own;
const ca = fs.readFileSync(client.caFile);
await own.serve();

const program = (words, env = {}) => {
  const result = spawnSync(own.binary, words, { encoding: 'utf8', env: { ...process.env, ...env } });
  return { status: result.status, stdout: result.stdout, stderr: result.stderr };
};
async function token(resource) {
  const answer = await raw(client.authority, { ca, method: 'POST', path: `/${client.tenant}/oauth2/v2.0/token`, headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: client.clientId, client_secret: client.clientSecret, scope: `${resource}/.default` }).toString() });
  equal(answer.status, 200, 'token');
  return JSON.parse(answer.body).access_token;
}
async function storage(method, target, body = '') {
  const bearer = await token('https://storage.azure.com');
  return raw(client.blobEndpoint, { ca, method, path: target, body, headers: { authorization: `Bearer ${bearer}`, 'x-ms-version': '2024-08-04', 'x-ms-blob-type': 'BlockBlob', 'content-length': Buffer.byteLength(body) } });
}
/** Stops the services, runs `work`, and starts them again. */
async function whileStopped(work) {
  equal((await own.stop()).code, 0, 'a clean stop');
  try {
    await work();
  } finally {
    own.log = '';
    await own.serve();
  }
}
function* filesUnder(dir) {
  for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) yield* filesUnder(path.join(dir, entry.name));
    else if (entry.isFile()) yield path.join(dir, entry.name);
  }
}
const fingerprint = () => [...filesUnder(state)].filter((file) => !file.includes('/run/')).sort().map((file) => `${path.relative(state, file)} ${crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex')}`).join('\n');

own.run(['key', 'create', 'ward']);
own.run(['account', 'create', 'records', '--key', 'ward']);
const large = [...Array(3)].map((_, i) => Buffer.alloc(200000, `large ${i} `).toString('latin1'));
equal((await storage('PUT', '/records/files?restype=container')).status, 201, 'container');
for (let i = 0; i < large.length; i++) equal((await storage('PUT', `/records/files/large-${i}`, large[i])).status, 201, `large ${i}`);
for (let i = 0; i < 200; i++) if (i < 40 || i === 199) equal((await storage('PUT', `/records/files/small-${i}`, `small ${i} `.repeat(700))).status, 201, `small ${i}`);
const objects = large.length + 41;
async function everythingReadable() {
  for (let i = 0; i < large.length; i++) must((await storage('GET', `/records/files/large-${i}`)).body === large[i], `large ${i}`);
  must((await storage('GET', '/records/files/small-7')).body === 'small 7 '.repeat(700), 'small 7');
}

await step('status_in_json_and_text', async () => {
  const status = own.json(['status']);
  equal(status.services.map(({ service, state: how }) => `${service} ${how}`).join(), 'vault serving,identity serving,blob serving,workspace serving', 'services');
  must(status.vault.keys >= 1 && status.vault.leases >= 1, 'the vault counts keys and leases');
  const account = status.blob.accounts.find(({ name }) => name === 'records');
  equal(account.objects, objects, 'objects');
  equal(account.key.name, 'ward', 'key');
  const { stdout } = own.run(['status']);
  for (const word of ['vault', 'identity', 'blob', 'workspace', 'serving', 'records', 'available', 'ward']) must(stdout.includes(word), `${word} in the text`);
});
await step('verify_in_json_and_text', async () => {
  const report = own.json(['verify']);
  for (const service of ['vault', 'identity', 'blob', 'workspace']) equal(`${report[service].result} ${report[service].findings.length}`, 'ok 0', service);
  equal(own.run(['verify']).stdout.match(/every seal holds/g).length, 4, 'four in text');
});
await step('census_in_json_and_text', async () => {
  const [version, ...others] = own.json(['census', 'ward']);
  equal(others.length, 0, 'one version');
  equal(version.objects, objects, 'objects');
  equal(version.accounts[0].label, 'records', 'account');
  must(own.run(['census', 'ward']).stdout.includes(version.version), 'the version in text');
  equal(program(['census', 'nothing', '--state', state]).status, 1, 'a key that is not there');
});
await step('dry_run_shows_what_would_stop_and_stops_nothing', async () => {
  const [dependent] = own.json(['key', 'disable', 'ward', '--dry-run']);
  equal(`${dependent.label} ${dependent.objects}`, `records ${objects}`, 'what depends on it');
  const { stdout } = own.run(['key', 'disable', 'ward', '--dry-run']);
  for (const word of ['records', String(objects), 'blob']) must(stdout.includes(word), `${word} in the text`);
  const unconfirmed = own.run(['key', 'disable', 'ward'], { allowFailure: true });
  equal(unconfirmed.status, 1, 'without a terminal or --yes');
  must(unconfirmed.stderr.includes('--yes'), 'it says how');
  must(own.run(['key', 'show', 'ward']).stdout.includes('enabled'), 'still enabled');
  await everythingReadable();
});
await step('bad_command_lines_say_what_is_wrong', async () => {
  for (const [words, status, says] of [[[], 2, ''], [['nonsense'], 2, 'nonsense'], [['key'], 2, 'key'], [['status', '--nonsense'], 2, '--nonsense'], [['status', 'surplus'], 2, 'surplus'], [['census'], 2, 'KEY'], [['status', '--format'], 2, '--format'], [['status', '--format', 'xml'], 2, 'xml'],
    [['init', '--format', 'xml'], 2, 'xml'], [['audit', 'show', '--limit', 'many', '--state', state], 1, 'many'], [['serve', '--lease-ttl-ms', '1'], 2, '200'], [['serve', '--state', `/${'d'.repeat(600)}`], 2, 'state'], [['key', 'create', 'a b', '--state', state], 1, 'name'], [['account', 'create', 'Upper', '--state', state], 1, 'name'], [['key', 'create', '../x', '--state', state], 1, '']]) {
    const { status: got, stdout, stderr } = program(words);
    equal(got, status, `strongroom ${words.join(' ').slice(0, 40)}`);
    must((stderr + stdout).includes(says), `${says} in ${JSON.stringify(stderr.slice(0, 300))}`);
  }
  for (const words of [['--help'], ['help', 'init'], ['key', 'disable', '--help'], ['--version']]) equal(program(words).status, 0, words.join(' '));
  equal(program(['status', '--state', '/nonexistent/strongroom']).status, 1, 'no such state');
});
await step('settings_file_errors_name_the_line', async () => {
  const file = path.join(state, 'test.conf');
  const tried = (text, env) => { fs.writeFileSync(file, text); return program(['status', '--state', state, '--config', file], env); };
  for (const [text, says] of [['# one\n\nlease-ttl-ms = soon\n', 'line 3'], ['blob-port = 1\nnonsense = 1\n', 'line 2'], ['blob-port 8443\n', 'line 1'], ['\n\n\n\nblob-port = 65536', 'line 5'], ['log-level = loud', 'line 1'], [`names = ${'n'.repeat(600)}`, 'line 1'], ['a\0b', 'NUL'], ['blob-port = 9000\nvault-port = 9000\n', '9000'], ['root-key = root.key\n', 'absolute'], ['authority = http://x\n', 'https://']]) {
    const { status, stderr } = tried(text);
    equal(status, 2, JSON.stringify(text.slice(0, 40)));
    must(stderr.includes(says), `${says} in ${JSON.stringify(stderr)}`);
  }
  const env = tried('', { STRONGROOM_BLOB_PORT: 'x' });
  must(env.status === 2 && env.stderr.includes('STRONGROOM_BLOB_PORT'), `the variable is named: ${env.stderr}`);
  fs.rmSync(file);
  must(program(['status', '--state', state, '--config', file]).stderr.includes(file), 'a file that is not there is named');
});
await step('flags_win_over_environment_over_file', async () => {
  const file = path.join(state, 'test.conf');
  fs.writeFileSync(file, 'blob-port = 50001 \r\n# blob-port = 4\n');
  const endpoint = (words, env) => /endpoint +https:\/\/127\.0\.0\.1:(\d+)/.exec(program(['account', 'keys', 'records', '--state', state, ...words], env).stdout)?.[1];
  equal(endpoint([], {}), String(own.ports['blob-port']), 'the file beside the state');
  equal(endpoint(['--config', file], {}), '50001', 'another file');
  equal(endpoint(['--config', file], { STRONGROOM_BLOB_PORT: '50002' }), '50002', 'environment');
  equal(endpoint(['--config', file, '--blob-port=50003'], { STRONGROOM_BLOB_PORT: '50002' }), '50003', 'flag');
  fs.rmSync(file);
});
await step('second_serve_is_refused', async () => {
  const second = program(['serve', '--state', state]);
  equal(second.status, 1, 'status');
  must(second.stderr.includes(state) && second.stderr.includes('another strongroom'), `it says why: ${second.stderr}`);
  await everythingReadable();
});
await step('init_refuses_an_existing_installation_and_harms_nothing', async () => {
  const running = program(['init', '--state', state]);
  equal(running.status, 1, 'while it runs');
  await everythingReadable();
  await whileStopped(() => {
    const before = fingerprint();
    const again = program(['init', '--state', state]);
    equal(again.status, 1, 'while it is stopped');
    must(again.stderr.includes('root.key') || again.stderr.includes(state), `it says why: ${again.stderr}`);
    const elsewhere = path.join(state, '..', `${path.basename(state)}.key`);
    const another = program(['init', '--state', state, '--root-key', elsewhere]);
    const wasMade = fs.existsSync(elsewhere);
    fs.rmSync(elsewhere, { force: true });
    equal(another.status, 1, 'with another root key');
    must(!wasMade, 'no other root key is made');
    equal(fingerprint(), before, 'files');
  });
  await everythingReadable();
});
await step('init_that_fails_can_be_tried_again', async () => {
  const other = `${state}-other`;
  const free = await freePorts(6);
  const ports = (isTaken) => ['identity-port', 'vault-port', 'blob-port', 'identity-internal-port', 'vault-internal-port', 'vault-provider-port'].flatMap((name, i) => [`--${name}`, String(isTaken ? own.ports[name] : free[i])]);
  try {
    const taken = program(['init', '--state', other, ...ports(true)]);
    equal(taken.status, 1, 'ports that are in use');
    must(/in use/.test(taken.stderr) && taken.stderr.includes(`remove ${other}`), `it says why, and what to do: ${taken.stderr.slice(-600)}`);
    fs.rmSync(other, { recursive: true });
    equal(program(['init', '--state', other, ...ports(false)]).status, 0, 'the second try');
  } finally {
    fs.rmSync(other, { recursive: true, force: true });
  }
});
await step('wrong_root_keys_are_named_and_harm_nothing', async () => {
  const key = path.join(state, 'root', 'root.key');
  const right = fs.readFileSync(key);
  const wrong = {
    other: [Buffer.from(`strongroom-root-key-v1 ${crypto.randomBytes(32).toString('hex')}\n`), 0o600],
    truncated: [right.subarray(0, 50), 0o600],
    empty: [Buffer.alloc(0), 0o600],
    letters: [Buffer.from(`strongroom-root-key-v1 ${'z'.repeat(64)}\n`), 0o600],
    binary: [crypto.randomBytes(88), 0o600],
    group_readable: [right, 0o640],
    missing: [undefined, 0],
  };
  await whileStopped(() => {
    const before = fingerprint();
    try {
      for (const [what, [bytes, mode]] of Object.entries(wrong)) refusedWith(what, bytes, mode);
    } finally {
      fs.rmSync(key, { force: true });
      fs.writeFileSync(key, right, { mode: 0o600 });
    }
    equal(fingerprint(), before, 'files');
  });
  await everythingReadable();
  function refusedWith(what, bytes, mode) {
    fs.rmSync(key, { force: true });
    if (bytes) fs.writeFileSync(key, bytes, { mode });
    const from = performance.now();
    const refused = program(['serve', '--state', state]);
    equal(refused.status, 1, what);
    must(performance.now() - from < 15000, `${what}: refused in ${(performance.now() - from).toFixed(0)} ms`);
    must(refused.stderr.includes(key), `${what}: the file is named in ${refused.stderr.slice(-600)}`);
    must(/chmod|copy|init|put|restore/i.test(refused.stderr), `${what}: it says what to do: ${refused.stderr.slice(-600)}`);
    must(!bytes?.length || !refused.stderr.includes(bytes.toString('latin1').trim().slice(-20)), `${what}: nothing of the key is shown`);
  }
});

const accountDir = path.join(state, 'blob', 'accounts', fs.readdirSync(path.join(state, 'blob', 'accounts'))[0]);
const extents = () => [...filesUnder(accountDir)].filter((file) => /\/[0-9a-f]{32}$/.test(file)).sort();
/** Damages while stopped, looks while running, and restores. */
async function damaged(files, damage, look) {
  const kept = new Map();
  await whileStopped(() => {
    for (const file of files) kept.set(file, fs.readFileSync(file));
    damage(files);
  });
  try {
    await look();
  } finally {
    await own.stop();
    for (const [file, bytes] of kept) fs.writeFileSync(file, bytes, { mode: 0o600 });
    for (const file of files) if (fs.existsSync(`${file}-wal`)) fs.rmSync(`${file}-wal`);
    own.log = '';
    await own.serve();
  }
}
const flip = (file, offset) => {
  const bytes = fs.readFileSync(file);
  bytes[offset < 0 ? bytes.length + offset : offset] ^= 0x10;
  fs.writeFileSync(file, bytes);
};
function mustBeFound(service, says) {
  const json = own.run(['verify', '--format', 'json'], { allowFailure: true });
  equal(json.status, 1, `verify ends with 1 (${json.stderr})`);
  must(json.stdout, `verify says what it found, not only: ${json.stderr}`);
  const report = JSON.parse(json.stdout);
  equal(report[service].result, 'damaged', service);
  must(JSON.stringify(report[service].findings).includes(says), `${says} in ${JSON.stringify(report[service].findings)}`);
  const text = own.run(['verify'], { allowFailure: true });
  must(text.status === 1 && text.stdout.includes('DAMAGED') && text.stdout.includes(says), `in text: ${text.stdout}`);
}
/** Each large blob comes back as it was or not at all; `least` are refused with a 500. */
async function neverWrong(least) {
  let refused = 0;
  for (let i = 0; i < large.length; i++) {
    const answer = await storage('GET', `/records/files/large-${i}`).catch((error) => ({ cut: error.code ?? error.message }));
    if (answer.status === 200) {
      must(answer.body === large[i], `large ${i} is wrong`);
    } else {
      must(answer.cut || (answer.status >= 500 && answer.body.includes('<Code>InternalError</Code>')), `large ${i}: ${answer.status ?? ''} ${answer.body ?? ''}`);
      refused++;
    }
  }
  must(refused >= least, `${refused} of ${least} refused`);
}
for (const [where, offset] of [['header', 3], ['id', 20], ['commitment', 40], ['first_chunk', 100], ['second_chunk', 65536 + 300], ['last_tag', -1]]) await step(`flipped_extent_${where}_is_found_and_not_served`, async () => {
  const [file] = extents();
  await damaged([file], () => flip(file, offset), async () => {
    await neverWrong(1);
    mustBeFound('blob', path.basename(file));
  });
  await everythingReadable();
});
await step('removed_extent_is_found_and_not_served', async () => {
  const [file] = extents();
  await damaged([file], () => fs.rmSync(file), async () => {
    await neverWrong(1);
    mustBeFound('blob', path.basename(file));
  });
  await everythingReadable();
});
await step('cut_and_longer_extents_are_found_and_not_served', async () => {
  const [cut, longer] = extents();
  await damaged([cut, longer], () => { fs.truncateSync(cut, 70000); fs.appendFileSync(longer, 'more'); }, async () => {
    await neverWrong(1);
    mustBeFound('blob', path.basename(cut));
    mustBeFound('blob', path.basename(longer));
  });
  await everythingReadable();
});
await step('swapped_extents_are_found_and_not_served', async () => {
  const [one, two] = extents();
  await damaged([one, two], () => {
    const bytes = fs.readFileSync(one);
    fs.writeFileSync(one, fs.readFileSync(two));
    fs.writeFileSync(two, bytes);
  }, async () => {
    await neverWrong(2);
    mustBeFound('blob', path.basename(one));
    mustBeFound('blob', path.basename(two));
  });
  await everythingReadable();
});
/** A flipped byte anywhere in a database: either its service does not start and says so, or verify names it. */
async function everyFlipIsNoticed(service, file, says) {
  await own.stop();
  const whole = fs.readFileSync(file);
  try {
    for (const part of [10, 40, 100, 0.3, 0.6, 0.9, whole.length - 20]) {
      const offset = part < 1 ? Math.floor(whole.length * part) : part;
      const bytes = Buffer.from(whole);
      bytes[offset] ^= 1;
      fs.writeFileSync(file, bytes);
      own.log = '';
      const started = await own.serve().then(() => true, () => false);
      if (started) {
        try {
          const answer = await storage('GET', '/records/files/small-7').catch((error) => ({ status: 0, body: error.message }));
          must(answer.status !== 200 || answer.body === 'small 7 '.repeat(700), `offset ${offset}: wrong bytes`);
          mustBeFound(service, says);
        } finally {
          await own.stop();
        }
      } else {
        must(own.log.includes(path.basename(file)) || /does not open|damaged|seal/.test(own.log), `offset ${offset}: the log says why: ${own.log.slice(-500)}`);
      }
      fs.rmSync(`${file}-wal`, { force: true });
    }
  } finally {
    await own.stop();
    fs.rmSync(`${file}-wal`, { force: true });
    fs.writeFileSync(file, whole);
    own.log = '';
    await serveWhatWasPutBack(service);
  }
  await everythingReadable();
}
/** A database that had opened in spite of the damage (an unused page) was counted: the copy from before it is a rollback, which its
 * owner accepts. */
async function serveWhatWasPutBack(service) {
  let isServing = false;
  const serving = own.serve().finally(() => { isServing = true; });
  const label = { blob: 'records', identity: 'identity' }[service];
  for (let i = 0; label && i < 100 && !isServing; i++) {
    own.run(['rollback', 'accept', service, label], { allowFailure: true });
    await sleep(100);
  }
  await serving;
  if (label) own.run(['rollback', 'accept', service, label], { allowFailure: true });
}
await step('flipped_account_database_is_noticed', () => everyFlipIsNoticed('blob', path.join(accountDir, 'main.db'), path.basename(accountDir)));
await step('flipped_vault_database_is_noticed', () => everyFlipIsNoticed('vault', path.join(state, 'vault', 'vault.db'), 'vault.db'), 240);
await step('flipped_identity_database_is_noticed', () => everyFlipIsNoticed('identity', path.join(state, 'identity', 'identity.db'), ''), 240);
await step('stop_is_clean_and_status_says_so', async () => {
  equal((await own.stop()).code, 0, 'status');
  const status = own.run(['status'], { allowFailure: true });
  equal(status.status, 1, 'nothing runs');
});
finish();

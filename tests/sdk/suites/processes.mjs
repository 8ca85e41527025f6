// The processes from outside: users, systemd's protocol, signs of life, confinement, and what memory holds after a revocation.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Installation } from '../installation.mjs';
import { findInMemory } from '../memory.mjs';
import { suite, step, finish, must, equal, installation, raw, sleep, unique, credential, keyClient, blobService } from '../steps.mjs';

suite('processes');
const isRoot = process.getuid() === 0;
const has = (command) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
/** A step for which the machine must be able to do something; says so where it cannot. */
async function stepIf(isPossible, why, name, work, seconds) {
  if (isPossible) return step(name, work, seconds);
  console.log(`skip ${process.env.STRONGROOM_SUITE ?? 'sdk'}.processes.${name} (${why})`);
}
const names = ['vault', 'identity', 'blob', 'workspace'];
const status = (pid) => Object.fromEntries(fs.readFileSync(`/proc/${pid}/status`, 'utf8').trim().split('\n').map((line) => line.split(/:\s*/, 2)));
const until = async (what, condition, seconds = 20) => {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    if (await condition()) return;
    await sleep(20);
  }
  throw new Error(`${what}: not within ${seconds} s`);
};
const servicesOf = (one) => JSON.parse(fs.readFileSync(path.join(one.state, 'run', 'services.json'), 'utf8')).services;
const answers = async (one) => {
  const ca = fs.readFileSync(one.client.caFile);
  const { client } = one;
  equal((await raw(client.blobEndpoint, { ca, path: '/none?comp=list' })).status, 404, 'blob answers');
  equal((await raw(client.vaultUrl, { ca, path: '/keys?api-version=7.4' })).status, 401, 'the vault answers');
  equal((await raw(client.authority, { ca, path: `/${client.tenant}/v2.0/.well-known/openid-configuration` })).status, 200, 'identity answers');
};
/** A key, an account under it, a blob large and small, written with a token and read back. */
async function smoke(one) {
  const ca = fs.readFileSync(one.client.caFile);
  const { client } = one;
  one.run(['key', 'create', 'smoke']);
  one.run(['account', 'create', 'smoke', '--key', 'smoke']);
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: client.clientId, client_secret: client.clientSecret, scope: 'https://storage.azure.com/.default' }).toString();
  const token = JSON.parse((await raw(client.authority, { ca, method: 'POST', path: `/${client.tenant}/oauth2/v2.0/token`, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: form })).body).access_token;
  const call = (method, target, body = '') => raw(client.blobEndpoint, { ca, method, path: target, body, headers: { authorization: `Bearer ${token}`, 'x-ms-version': '2024-08-04', 'x-ms-blob-type': 'BlockBlob', 'content-length': body.length } });
  equal((await call('PUT', '/smoke/files?restype=container')).status, 201, 'container');
  for (const body of ['small', 'large'.repeat(60000)]) {
    equal((await call('PUT', `/smoke/files/${body.length}`, body)).status, 201, 'upload');
    must((await call('GET', `/smoke/files/${body.length}`)).body === body, 'download');
  }
  equal(one.run(['verify'], { allowFailure: true }).status, 0, 'verify');
}

for (const name of names) {
  const { pid } = { pid: installation.pids()[name] };
  await step(`${name}.is_confined`, () => {
    for (const thread of fs.readdirSync(`/proc/${pid}/task`)) {
      const of = status(`${pid}/task/${thread}`);
      equal(of.Seccomp, '2', `Seccomp of thread ${thread}`);
      equal(of.NoNewPrivs, '1', `NoNewPrivs of thread ${thread}`);
      must(Number(of.Seccomp_filters ?? 2) >= 2, `both filters on thread ${thread}`);
    }
    const limits = fs.readFileSync(`/proc/${pid}/limits`, 'utf8');
    must(/Max core file size\s+0\s+0\s/.test(limits), 'no core files');
    equal(fs.readFileSync(`/proc/${pid}/environ`).length === 0 || isRoot, true, 'its environment is closed to others');
  });
  await stepIf(isRoot && has('setpriv'), 'needs root and setpriv', `${name}.is_closed_to_its_own_user`, () => {
    equal(fs.statSync(`/proc/${pid}/mem`).uid, 0, 'owner of mem');
    const { Uid } = status(pid);
    const uid = Uid.split(/\s+/)[0];
    for (const file of ['mem', 'environ', 'maps']) {
      const read = spawnSync('setpriv', ['--reuid', uid === '0' ? '65534' : uid, '--regid', '65534', '--clear-groups', 'cat', `/proc/${pid}/${file}`]);
      must(read.status !== 0, `${file} is not to be read by user ${uid === '0' ? 65534 : uid}`);
    }
  });
}
await step('keys_are_in_memory_that_is_secret_or_locked', () => {
  for (const name of names) {
    const { VmLck } = status(installation.pids()[name]);
    const maps = fs.readFileSync(`/proc/${installation.pids()[name]}/maps`, 'utf8');
    must(/secretmem/.test(maps) || parseInt(VmLck, 10) > 0, `${name} has secret or locked memory`);
  }
});

await stepIf(isRoot, 'only root can read another process\'s memory', 'revoked_content_is_gone_from_memory_within_a_second', async () => {
  const keys = keyClient();
  const key = await keys.createRsaKey(`mem-${unique()}`);
  const account = installation.json(['account', 'create', `mem${unique()}`, '--key', key.name]);
  // Never whole in this process's own messages to the service but as contents, names and metadata.
  const needles = { small: Buffer.from(`small-${crypto.randomUUID()}`), large: Buffer.from(`large-${crypto.randomUUID()}`), name: Buffer.from(`name-${crypto.randomUUID()}`), metadata: Buffer.from(`metadata-${crypto.randomUUID()}`), control: Buffer.from(`control-${crypto.randomUUID()}`) };
  for (const cred of [undefined, credential()]) {
    const container = blobService(account, cred).getContainerClient('memory');
    await container.createIfNotExists();
    for (let i = 0; i < 30; i++) {
      const blob = container.getBlockBlobClient(`${needles.name}-${i % 10}`);
      const body = Buffer.alloc(i % 2 ? 300000 : 3000);
      for (let at = 0; at + 64 < body.length; at += 64) (i % 2 ? needles.large : needles.small).copy(body, at);
      await blob.upload(body, body.length, { metadata: { word: needles.metadata.toString() } });
      must((await blob.downloadToBuffer()).equals(body), 'comes back');
    }
    for await (const item of container.listBlobsFlat({ includeMetadata: true })) must(item.name, 'a name');
    await Promise.all([...Array(16)].map((_, i) => container.getBlockBlobClient(`${needles.name}-${i % 10}`).downloadToBuffer()));
  }
  // A canary that stays, so that a search that finds nothing has searched.
  const other = blobService(installation.json(['account', 'create', `mem${unique()}`])).getContainerClient('memory');
  await other.create();
  await other.getBlockBlobClient('stays').upload(needles.control, needles.control.length);
  await keys.updateKeyProperties(key.name, key.properties.version, { enabled: false });
  await sleep(1000);
  const { blob: pid } = installation.pids();
  const { control, ...gone } = needles;
  const found = findInMemory(pid, gone);
  must(found.length === 0, `nothing of the account: ${found.length} found, ${found.slice(0, 6).join('; ')}`);
  await other.getBlockBlobClient('stays').downloadToBuffer();
  must(findInMemory(pid, { control }).length > 0 || findInMemory(pid, { text: Buffer.from('KeyVaultEncryptionKeyNotFound') }).length > 0, 'the search can find');
});
await stepIf(isRoot, 'only root can read another process\'s memory', 'no_secret_is_in_memory_in_clear', async () => {
  await sleep(500);
  const { client } = installation;
  const { access_token: token } = JSON.parse((await raw(client.authority, { method: 'POST', path: `/${client.tenant}/oauth2/v2.0/token`, headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: client.clientId, client_secret: client.clientSecret, scope: 'https://storage.azure.com/.default' }).toString() })).body);
  must(token, 'a token');
  const root = /([0-9a-f]{64})/.exec(fs.readFileSync(path.join(installation.state, 'root', 'root.key'), 'latin1'))[1];
  const needles = { 'client secret': Buffer.from(client.clientSecret), 'root key': Buffer.from(root, 'hex'), 'root key in hex': Buffer.from(root) };
  await sleep(500);
  for (const name of names) {
    const found = findInMemory(installation.pids()[name], needles);
    must(found.length === 0, `${name}: ${found.slice(0, 4).join('; ')}`);
  }
});

await step('systemd_hears_ready_status_watchdog_and_stopping', async () => {
  const own = await new Installation(installation.binary).init();
  const socketPath = path.join(own.state, 'notify.sock');
  const heard = [];
  // Node.js has no Unix datagrams: Python, which the rules' checker needs anyway, holds the socket.
  const listener = spawn('python3', ['-u', '-c', `import socket\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\ns.bind(${JSON.stringify(socketPath)})\nprint('bound')\nwhile True: print(s.recv(4096).decode())`], { stdio: ['ignore', 'pipe', 'inherit'] });
  listener.stdout.setEncoding('utf8').on('data', (text) => heard.push(...text.trim().split('\n')));
  try {
    await until('a socket', () => heard.includes('bound'));
    const child = spawn(own.binary, ['serve', '--state', own.state], { stdio: 'ignore', env: { ...process.env, NOTIFY_SOCKET: socketPath, WATCHDOG_USEC: '600000' } });
    const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
    await until('READY=1', () => heard.includes('READY=1'));
    await answers(own);
    must(heard.some((line) => /^STATUS=4 of 4/.test(line)), `STATUS among ${heard.join(' | ')}`);
    const before = heard.filter((line) => line === 'WATCHDOG=1').length;
    await sleep(1500);
    const alive = heard.filter((line) => line === 'WATCHDOG=1').length - before;
    must(alive >= 3, `${alive} times WATCHDOG=1 in 1.5 s`);
    must(!heard.includes('STOPPING=1'), 'not stopping yet');
    const from = performance.now();
    child.kill('SIGTERM');
    equal(await ended, 0, 'exit status');
    must(performance.now() - from < 10000, 'a quick stop');
    await until('STOPPING=1', () => heard.includes('STOPPING=1'));
    equal(heard.filter((line) => line === 'READY=1').length, 1, 'READY=1 once');
  } finally {
    listener.kill();
    own.remove();
  }
});
await step('services_stop_in_order_the_vault_last', async () => {
  const own = await (await new Installation(installation.binary).init()).serve();
  try {
    const pids = own.pids();
    const gone = [];
    const watch = setInterval(() => { for (const name of names) if (!gone.includes(name) && !fs.existsSync(`/proc/${pids[name]}/stat`)) gone.push(name); }, 1);
    equal((await own.stop()).code, 0, 'exit status');
    await sleep(20);
    clearInterval(watch);
    equal(gone.join(), 'workspace,blob,identity,vault', 'order');
  } finally {
    await own.stop();
    own.remove();
  }
});
await step('killed_services_come_back_and_a_killed_supervisor_leaves_none', async () => {
  const own = await (await new Installation(installation.binary).init()).serve();
  try {
    for (const name of [...names, 'blob']) {
      const before = own.pids();
      process.kill(before[name], 'SIGKILL');
      await until(`${name} serves again`, () => { const now = servicesOf(own).find(({ service }) => service === name); return now.state === 'serving' && now.pid !== before[name]; });
      await answers(own);
      for (const other of names.filter((one) => one !== name)) equal(own.pids()[other], before[other], `${other} stayed`);
    }
    const orphans = own.pids();
    own.child.kill('SIGKILL');
    await until('all services end with their supervisor', () => names.every((name) => !fs.existsSync(`/proc/${orphans[name]}/stat`)));
  } finally {
    await own.stop();
    own.remove();
  }
});
await step('silent_service_is_killed_and_started_again', async () => {
  const own = await (await new Installation(installation.binary).init()).serve();
  try {
    const before = own.pids().identity;
    process.kill(before, 'SIGSTOP');
    await until('identity is started again', () => { const { identity } = own.pids(); return identity && identity !== before; }, 45);
    await until('it serves', () => servicesOf(own).every(({ state }) => state === 'serving'));
    await until('all answer', () => answers(own).then(() => true, () => false)); // the others find identity again
    must(own.log.includes('no sign of life'), 'the log says so');
  } finally {
    await own.stop();
    own.remove();
  }
}, 90);

const canMakeUsers = isRoot && has('useradd') && has('userdel') && has('setpriv');
const reason = 'needs root, useradd and setpriv';
/** Runs `work` with users that exist as long as it runs; those that were there stay. */
async function withUsers(users, work) {
  const made = users.filter((name) => spawnSync('id', [name]).status !== 0);
  try {
    for (const name of made) execFileSync('useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', name]);
    await work();
  } finally {
    for (const name of made) spawnSync('userdel', ['--force', name]);
  }
}
/** An installation that runs as another user: the program is a script that becomes that user. */
function installationOf(user) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-user-'));
  const program = path.join(folder, 'strongroom');
  fs.copyFileSync(installation.binary, path.join(folder, 'program'));
  fs.writeFileSync(program, `#!/bin/sh\nexec setpriv --reuid ${user} --regid ${user} --clear-groups env HOME=${folder}/home ${folder}/program "$@"\n`);
  fs.chmodSync(folder, 0o755);
  fs.chmodSync(program, 0o755);
  fs.mkdirSync(path.join(folder, 'home'));
  execFileSync('chown', ['-R', `${user}:`, path.join(folder, 'home')]);
  const own = new Installation(program, { state: path.join(folder, 'home', 'state') });
  own.remove = () => fs.rmSync(folder, { recursive: true, force: true });
  return own;
}
await stepIf(canMakeUsers, reason, 'an_ordinary_user_runs_it', () => withUsers(['sr-test-user'], async () => {
  const own = installationOf('sr-test-user');
  try {
    await own.init();
    await own.serve();
    const uid = execFileSync('id', ['-u', 'sr-test-user'], { encoding: 'utf8' }).trim();
    for (const pid of Object.values(own.pids())) equal(status(pid).Uid.split(/\s+/)[0], uid, 'user');
    await smoke(own);
    const asRoot = new Installation(installation.binary, { state: own.state });
    equal(asRoot.run(['status'], { allowFailure: true }).status, 0, 'root may ask too');
    const stranger = spawnSync('setpriv', ['--reuid', '65534', '--regid', '65534', '--clear-groups', path.join(path.dirname(own.binary), 'program'), 'status', '--state', own.state]);
    must(stranger.status > 0, 'another user may not');
    equal((await own.stop()).code, 0, 'a clean stop');
  } finally {
    await own.stop();
    own.remove();
  }
}));
await stepIf(canMakeUsers, reason, 'services_run_as_their_own_users_where_these_exist', async () => {
  const own = new Installation(installation.binary);
  try {
    await own.init(); // by root alone: what is there must be handed over
    await withUsers(names.map((name) => `strongroom-${name}`), async () => {
      const uids = Object.fromEntries(names.map((name) => [name, execFileSync('id', ['-u', `strongroom-${name}`], { encoding: 'utf8' }).trim()]));
      for (let start = 0; start < 2; start++) {
        own.log = '';
        await own.serve();
        for (const name of names) {
          const of = status(own.pids()[name]);
          equal(of.Uid.split(/\s+/).join(), Array(4).fill(uids[name]).join(), `user of ${name}`);
          equal(of.Groups.trim(), '', `groups of ${name}`);
          equal(BigInt(`0x${of.CapEff}`), 0n, `capabilities of ${name}`);
          equal(String(fs.statSync(path.join(own.state, name)).uid), uids[name], `owner of ${name}'s files`);
          const other = names[(names.indexOf(name) + 1) % 3];
          const peek = spawnSync('setpriv', ['--reuid', uids[other], '--regid', '65534', '--clear-groups', 'ls', path.join(own.state, name)]);
          must(peek.status !== 0, `${other} cannot look into ${name}'s files`);
        }
        if (start === 0) await smoke(own);
        equal(own.run(['verify'], { allowFailure: true }).status, 0, 'root can use the sockets');
        equal((await own.stop()).code, 0, 'a clean stop');
      }
    });
  } finally {
    await own.stop();
    own.remove();
  }
});
finish();

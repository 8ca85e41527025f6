// The vault cut at the writes of each of its operations: a recorded run of one operation after another, and after a cut anywhere within
// one everything that the vault shows is as it was before, or as it is after; once it was acknowledged, as it is after.
// EVERY=1 cuts at every record; otherwise OPERATION_CUTS of them, some in each operation. A restore of the whole is cut likewise.
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Installation } from '../sdk/installation.mjs';
import { mount, roomForCuts } from './cut.mjs';
import { generator } from './generator.mjs';
import { sleep } from './load.mjs';
import { Disk, readLog } from './power.mjs';
import { difference, VaultClient } from './vault_client.mjs';

const passphrases = ['correct horse battery staple', 'another horse and battery'];
const faultsMax = 5;
const controls = 4;

/** A certificate and key as PEM, and the signing of a request, by the openssl command in `folder`. */
class Outside {
  constructor(folder) {
    this.folder = folder;
    this.openssl(['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=outside', '-days', '30']);
    this.pem = fs.readFileSync(path.join(folder, 'ca.key'), 'utf8') + fs.readFileSync(path.join(folder, 'ca.crt'), 'utf8');
  }

  openssl(words) {
    execFileSync('openssl', words, { cwd: this.folder, stdio: 'ignore' });
  }

  /** The certificate for a request in Base64, in Base64. */
  sign(csr) {
    fs.writeFileSync(path.join(this.folder, 'request'), Buffer.from(csr, 'base64'));
    this.openssl(['x509', '-req', '-inform', 'der', '-in', 'request', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-outform', 'der', '-out', 'signed', '-days', '20']);
    return fs.readFileSync(path.join(this.folder, 'signed')).toString('base64');
  }
}

const policy = (issuer, more = {}) => ({ policy: { issuer: { name: issuer }, key_props: { kty: 'EC', crv: 'P-256', reuse_key: false }, x509_props: { subject: 'CN=crash' }, ...more } });
const day = 86400;
const soon = Math.floor(Date.now() / 1000) + 300 * day;

/**
 * The operations in their order, each by a name and what it asks. `isLoose`: what was under way is made anew after a start, with other
 * random numbers. `kept` is what earlier ones left for later ones.
 */
function operations(vault, outside, kept, backups) {
  const ask = (...words) => vault.ask(...words);
  const own = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  const backup = (target, name) => async () => { kept[name] = (await ask('POST', `${target}/backup`, {})).value; };
  const restore = (collection, name) => () => ask('POST', `/${collection}/restore`, { value: kept[name] });
  const issue = (name, issuer, more) => async () => { await ask('POST', `/certificates/${name}/create`, policy(issuer, more)); await vault.completed(name); };
  const command = (words, input) => () => vault.command(words, input);
  const steps = [
    ['key_create_rsa', () => ask('POST', '/keys/rsa/create', { kty: 'RSA', key_size: 2048, tags: { a: 'b' } })],
    ['key_create_oct', () => ask('POST', '/keys/oct/create', { kty: 'oct', key_size: 256 })],
    ['key_import', () => ask('PUT', '/keys/own', { key: own })],
    ['key_rotate', () => ask('POST', '/keys/rsa/rotate')],
    ['key_update', () => ask('PATCH', '/keys/rsa', { attributes: { enabled: true, exp: soon }, tags: { c: 'd' }, key_ops: ['sign', 'verify'] })],
    ['key_rotation_policy', () => ask('PUT', '/keys/rsa/rotationpolicy', { lifetimeActions: [{ trigger: { timeAfterCreate: 'P300D' }, action: { type: 'Rotate' } }], attributes: { expiryTime: 'P2Y' } })],
    ['key_backup', backup('/keys/rsa', 'rsa')],
    ['key_disable', () => ask('PATCH', '/keys/own', { attributes: { enabled: false } })],
    ['key_delete', () => ask('DELETE', '/keys/rsa')],
    ['key_recover', () => ask('POST', '/deletedkeys/rsa/recover')],
    ['key_delete_again', () => ask('DELETE', '/keys/rsa')],
    ['key_purge', () => ask('DELETE', '/deletedkeys/rsa')],
    ['key_restore', restore('keys', 'rsa')],
    ['secret_set', () => ask('PUT', '/secrets/word', { value: 'first', contentType: 'text/plain' })],
    ['secret_set_again', () => ask('PUT', '/secrets/word', { value: 'second'.repeat(3000), tags: { a: 'b' } })],
    ['secret_update', () => ask('PATCH', '/secrets/word', { attributes: { exp: soon }, contentType: 'other' })],
    ['secret_backup', backup('/secrets/word', 'word')],
    ['secret_delete', () => ask('DELETE', '/secrets/word')],
    ['secret_recover', () => ask('POST', '/deletedsecrets/word/recover')],
    ['secret_delete_again', () => ask('DELETE', '/secrets/word')],
    ['secret_purge', () => ask('DELETE', '/deletedsecrets/word')],
    ['secret_restore', restore('secrets', 'word')],
    ['certificate_create', issue('self', 'Self'), { isLoose: true }],
    ['certificate_renew', issue('self', 'Self'), { isLoose: true }],
    ['certificate_request', issueRequest, { isLoose: true }],
    ['certificate_merge', async () => ask('POST', '/certificates/outside/pending/merge', { x5c: [outside.sign((await ask('GET', '/certificates/outside/pending')).csr)] }), { isLoose: true }],
    ['certificate_import', () => ask('POST', '/certificates/taken/import', { value: outside.pem, policy: { secret_props: { contentType: 'application/x-pem-file' } } })],
    ['certificate_update', () => ask('PATCH', '/certificates/taken', { tags: { a: 'b' }, attributes: { enabled: true } })],
    ['certificate_policy', () => ask('PATCH', '/certificates/taken/policy', { x509_props: { validity_months: 6, subject: 'CN=outside' } })],
    ['certificate_contacts', () => ask('PUT', '/certificates/contacts', { contacts: [{ email: 'a@example.org' }] })],
    ['certificate_contacts_removed', () => ask('DELETE', '/certificates/contacts')],
    ['certificate_issuer', () => ask('PUT', '/certificates/issuers/mine', { provider: 'Strongroom', credentials: { account_id: 'x', pwd: 'y' } })],
    ['certificate_backup', backup('/certificates/taken', 'taken')],
    ['certificate_delete', () => ask('DELETE', '/certificates/taken')],
    ['certificate_recover', () => ask('POST', '/deletedcertificates/taken/recover')],
    ['certificate_delete_again', () => ask('DELETE', '/certificates/taken')],
    ['certificate_purge', () => ask('DELETE', '/deletedcertificates/taken')],
    ['certificate_restore', restore('certificates', 'taken')],
    ['vault_create', command(['vault', 'create', 'second', '--access', 'policies', '--retention-days', '7'])],
    ['vault_policy_set', command(['vault', 'policy', 'set', 'second', '--object-id', vault.installation.client.objectId, '--keys', 'get,list', '--secrets', 'all'])],
    ['vault_policy_remove', command(['vault', 'policy', 'remove', 'second', '--object-id', vault.installation.client.objectId])],
    ['vault_network_add', command(['vault', 'network', 'add', 'second', '10.0.0.0/8'])],
    ['vault_network_set', command(['vault', 'network', 'set', 'second', '--default-action', 'Deny'])],
    ['vault_update', command(['vault', 'update', 'second', '--access', 'roles'])],
    ['vault_delete', command(['vault', 'delete', 'second', '--yes'])],
    ['vault_recover', command(['vault', 'recover', 'second'])],
    ['vault_delete_again', command(['vault', 'delete', 'second', '--yes'])],
    ['vault_purge', command(['vault', 'purge', 'second', '--yes'])],
    ['root_rekey_of_a_file', command(['root', 'rekey', '--yes'])],
    ['backup_of_the_installation', command(['backup', backups])],
    ['root_migrate_to_a_passphrase', command(['root', 'migrate', 'passphrase', '--yes'], `${passphrases[0]}\n`)],
    ['root_rekey_of_a_passphrase', command(['root', 'rekey', '--yes'], `${passphrases[1]}\n`)],
    ['root_migrate_to_a_file', command(['root', 'migrate', 'file', '--yes'])],
  ];
  async function issueRequest() {
    await ask('POST', '/certificates/outside/create', policy('Unknown'));
  }
  return steps.map(([name, run, more]) => ({ name, run, ...more }));
}

/** Runs each operation on a recorded disk; gives them with what the vault showed before and after each. */
async function record(dir, program) {
  const filesystem = await mount(dir);
  const installation = new Installation(program, { state: path.join(dir, 'state') });
  const vault = new VaultClient(installation);
  const [backups, rootKey] = ['backups', 'root.key'].map((name) => path.join(dir, name));
  let marks;
  try {
    marks = fs.openSync(path.join(dir, 'state', '.mark'), 'w');
    await installation.init();
    await installation.serve();
    await vault.authorize();
    const done = [];
    let before = await vault.everything();
    for (const { name, run, isLoose = false } of operations(vault, new Outside(dir), {}, backups)) {
      if (name === 'backup_of_the_installation') fs.copyFileSync(path.join(installation.state, 'root', 'root.key'), rootKey);
      fs.writeSync(marks, `begin ${name}`, 0);
      await run();
      fs.writeSync(marks, `done ${name}`, 0);
      const after = await vault.everything();
      done.push({ name, isLoose, before, after });
      before = after;
    }
    return { operations: done, client: installation.client, backups, rootKey };
  } catch (error) {
    throw Object.assign(error, { message: `${error.message}\n${installation.log.slice(-1500)}` });
  } finally {
    vault.agent.destroy();
    await installation.stop();
    if (marks !== undefined) fs.closeSync(marks);
    execFileSync('fusermount3', ['-uz', path.join(dir, 'state')]);
    await sleep(100);
    if (filesystem.exitCode === null) filesystem.kill('SIGTERM');
  }
}

/** Starts on a disk; gives a passphrase where it starts sealed. */
async function start(installation) {
  const served = installation.serve();
  let isOver = false;
  const over = served.finally(() => { isOver = true; });
  over.catch(() => {});
  for (let i = 0; !isOver && i < 600; i++) {
    if (/sealed/.test(installation.log)) {
      for (const passphrase of passphrases) if (unseal(installation, passphrase)) return over;
    }
    await sleep(25);
  }
  return over;
}
function unseal(installation, passphrase) {
  try {
    execFileSync(installation.binary, ['unseal', '--state', installation.state], { input: `${passphrase}\n`, stdio: ['pipe', 'ignore', 'ignore'] });
    return true;
  } catch {
    return false;
  }
}

/** Why what the vault shows is neither of the states that it may be in; undefined where it is one. What goes on by itself is waited for. */
async function whyWrong(vault, allowed, isLoose) {
  let why;
  for (let i = 0; i < 40; i++) {
    const shown = await vault.everything();
    const differences = allowed.map((state) => difference(shown, state, isLoose));
    if (differences.includes(undefined)) return undefined;
    why = differences.join(' | or ');
    if (!isLoose) return why;
    await sleep(100);
  }
  return why;
}

/** Starts on what a cut left, and compares; gives the faults found. */
async function lookAt(installation, { before, after, isLoose }, isDone) {
  const vault = new VaultClient(installation);
  const faults = [];
  try {
    await start(installation);
    await vault.untilServed();
    const why = await whyWrong(vault, isDone ? [after] : [before, after], isLoose && !isDone);
    if (why) faults.push(why);
    for (const words of [['verify'], ['audit', 'verify']]) {
      const { status, stdout, stderr } = installation.run(words, { allowFailure: true });
      if (status !== 0) faults.push(`${words.join(' ')}: ${stdout} ${stderr}`);
    }
  } catch (error) {
    faults.push(`${error.message.slice(0, 800)} ${installation.log.slice(-800)}`);
  } finally {
    vault.agent.destroy();
    await installation.stop();
  }
  return faults;
}

/** Some of a list, in its order. */
function sample(list, count, random) {
  const chosen = new Set(list.map((item) => [random(), item]).sort(([a], [b]) => a - b).slice(0, count).map(([, item]) => item));
  return list.filter((item) => chosen.has(item));
}
/** Where to cut: {operation, point, isDone} by point. Some in each operation, and of some right behind the acknowledgement. */
function pointsOf(records, done, random, cuts) {
  const at = new Map();
  records.forEach(({ kind, data }, i) => { if (kind === 'mark') at.set(data.toString(), i); });
  const within = done.flatMap((operation) => {
    const [begin, end] = ['begin', 'done'].map((what) => at.get(`${what} ${operation.name}`));
    if (begin === undefined || end === undefined) throw new Error(`the record does not tell when ${operation.name} began and ended`);
    Object.assign(operation, { writes: end - begin - 1, end });
    const all = [...Array(operation.writes)].map((_, i) => ({ operation, point: begin + 2 + i, isDone: false }));
    return process.env.EVERY ? all : sample(all, Math.ceil((cuts * 0.7) / done.length), random);
  });
  const behind = sample(done, process.env.EVERY ? done.length : Math.ceil(cuts * 0.3), random).map((operation) => ({ operation, point: operation.end + 1, isDone: true }));
  return [...within, ...behind].sort((a, b) => a.point - b.point);
}

/** Cuts a recorded run at the points; process death leaves all that was written, a power cut what was synced, and by luck more. */
function* disksOf(disk, room, records, points, seed, keeps = [1, 0, 0.5]) {
  let followed = 0;
  for (const [i, each] of points.entries()) {
    for (; followed < each.point; followed++) disk.follow(records[followed]);
    const keep = keeps[i % keeps.length];
    const state = path.join(room, `cut-${i}`);
    disk.cut(state, seed + i, keep, (name) => /\/extents\/[0-9a-f]{2}\//.test(name));
    yield { ...each, state, keep };
    if (!process.env.KEEP) fs.rmSync(state, { recursive: true, force: true });
  }
}
function installationAt(program, state, client) {
  const installation = new Installation(program, { state });
  installation.client = { ...client, state, caFile: path.join(state, 'ca.pem') };
  return installation;
}

async function cutOperations({ program, seed, room }, disk, records, points, client) {
  const faults = [];
  for (const { operation, state, point, isDone, keep } of disksOf(disk, room, records, points, seed)) {
    if (faults.length >= faultsMax) break;
    const found = await lookAt(installationAt(program, state, client), operation, isDone);
    faults.push(...found.map((fault) => `${operation.name} cut at ${point} of ${records.length}${isDone ? ' (acknowledged)' : ''}, keep ${keep}: ${fault}`));
  }
  return faults;
}

/** Restores a backup onto a recorded disk, in a folder that is called `there`. */
async function recordRestore(dir, program, backups, rootKey) {
  fs.mkdirSync(dir, { mode: 0o711 });
  const filesystem = await mount(dir);
  const marks = fs.openSync(path.join(dir, 'state', '.mark'), 'w');
  try {
    fs.writeSync(marks, 'begin restore', 0);
    execFileSync(program, ['restore', backups, '--state', path.join(dir, 'state', 'there'), '--root-key-file', rootKey], { stdio: ['ignore', 'ignore', 'pipe'] });
    fs.writeSync(marks, 'done restore', 0);
  } finally {
    fs.closeSync(marks);
    execFileSync('fusermount3', ['-uz', path.join(dir, 'state')]);
    await sleep(100);
    if (filesystem.exitCode === null) filesystem.kill('SIGTERM');
  }
  return readLog(path.join(dir, 'log'));
}

/** A restore whose process dies (it syncs with syncfs, which a FUSE filesystem does not hear of, so power cuts cannot be judged) starts as what was backed up, or does not start, says why, and can be done again; one that is done starts. */
async function cutRestore({ program, seed, room, dir, cuts }, { operations: done, client, backups, rootKey }) {
  const faults = [];
  const { before } = done.find(({ name }) => name === 'backup_of_the_installation');
  const records = await recordRestore(path.join(dir, 'restore'), program, backups, rootKey);
  const points = pointsOf(records, [{ name: 'restore', before, after: before, isLoose: false }], generator(seed), cuts);
  for (const { operation, state, point, isDone, keep } of disksOf(new Disk(), room, records, points, seed, [1])) {
    const there = path.join(state, 'there');
    const say = (text) => faults.push(`restore cut at ${point} of ${records.length}${isDone ? ' (done)' : ''}, keep ${keep}: ${text}`);
    const installation = installationAt(program, there, client);
    const isThere = fs.existsSync(there) && await installation.serve().then(() => true, () => false);
    if (isThere) {
      await installation.stop();
      (await lookAt(installationAt(program, there, client), operation, true)).forEach(say);
    } else if (isDone) {
      say(`does not start: ${installation.log.slice(-600)}`);
    } else {
      if (fs.existsSync(there) && !/restore|put it back/.test(installation.log)) say(`refuses without saying what to do: ${installation.log.slice(-600)}`);
      fs.rmSync(there, { recursive: true, force: true });
      execFileSync(program, ['restore', backups, '--state', there, '--root-key-file', rootKey], { stdio: 'ignore' });
      (await lookAt(installationAt(program, there, client), operation, true)).forEach(say);
    }
    if (faults.length >= faultsMax) break;
  }
  return { faults, count: points.length };
}

export async function operating({ program, seed, cuts, report }) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-operations-'));
  fs.chmodSync(dir, 0o711);
  const room = roomForCuts(dir);
  const random = generator(seed);
  const job = { program, seed, room, dir };
  try {
    const recorded = await record(dir, program);
    const records = readLog(path.join(dir, 'log'));
    const points = pointsOf(records, recorded.operations, random, cuts);
    const faults = await cutOperations(job, new Disk(), records, points, recorded.client);
    report(`vault_cut_at_${points.length}_points_in_${recorded.operations.length}_operations_is_whole`, faults);
    report('operations_write_before_they_are_acknowledged', recorded.operations.filter(({ name, writes }) => writes < 2 && !/backup/.test(name)).map(({ name }) => `${name} wrote nothing`));
    const behind = sample(points.filter(({ isDone }) => isDone), controls, random);
    report('a_disk_that_forgets_what_an_operation_synced_is_found_out',
      (await cutOperations(job, new Disk(() => random() < 0.5), records, behind, recorded.client)).length ? [] : ['every check passed on a disk that forgets']);
    const restore = await cutRestore({ ...job, cuts: Math.ceil(cuts / 8) }, recorded);
    report(`restore_cut_at_${restore.count}_points_is_whole_or_refused`, restore.faults);
  } catch (error) {
    report('operations', [error.message]);
  } finally {
    if (process.env.KEEP) console.log(`the record is in ${dir}, disks in ${room}`);
    else for (const folder of [dir, room]) fs.rmSync(folder, { recursive: true, force: true });
  }
}

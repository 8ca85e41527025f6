// Power cut at points of a recorded load, during which the disk is full for a while.
// KEEP=1 keeps the record and the disks that were found wrong; RECORD=DIR replays a record that was kept.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Installation } from '../sdk/installation.mjs';
import { checkDeeds, Deeds } from './deeds.mjs';
import { generator } from './generator.mjs';
import { Load, sleep } from './load.mjs';
import { Disk, readLog } from './power.mjs';

const flags = (what) => execFileSync('pkg-config', [what, 'fuse3'], { encoding: 'utf8' }).trim().split(/\s+/);
const shape = { writers: 4, blobsEach: 5 };
const verifyEvery = 10;
const faultsMax = 5;
const controlsMax = 4;
const cutsLength = 2 ** 30;

/** Where the disks after a cut are: in memory where it is large enough, as each has hundreds of folders. */
export function roomForCuts(dir) {
  const memory = '/dev/shm';
  const { bavail, bsize } = fs.existsSync(memory) ? fs.statfsSync(memory) : { bavail: 0, bsize: 0 };
  const room = fs.mkdtempSync(path.join(bavail * bsize > cutsLength ? memory : dir, 'strongroom-cuts-'));
  fs.chmodSync(room, 0o711); /* services under users of their own pass through */
  return room;
}

/** Mounts a filesystem that records what is done to it: DIR/state, kept in DIR/backing, recorded in DIR/log. */
export async function mount(dir) {
  execFileSync('cc', ['-O1', '-D_GNU_SOURCE', ...flags('--cflags'), path.join(import.meta.dirname, 'lossyfs.c'), '-o', path.join(dir, 'lossyfs'), ...flags('--libs')]);
  for (const name of ['backing', 'state']) fs.mkdirSync(path.join(dir, name), { mode: 0o700 });
  const child = spawn(path.join(dir, 'lossyfs'), [path.join(dir, 'backing'), path.join(dir, 'log'), path.join(dir, 'state'), '-f', '-o', `attr_timeout=0,entry_timeout=0,max_threads=10${process.getuid() === 0 ? ',allow_other' : ''}`], { stdio: 'ignore' });
  for (let i = 0; i < 100 && !fs.existsSync(path.join(dir, 'state', '.mark')); i++) await sleep(50);
  return child;
}

/** Load and deeds for some seconds, the disk full in the middle. */
async function loadIt(load, deeds, mark) {
  const phases = { until: 'full', written: {}, refused: {} };
  const time = { start: 1700, full: 700, free: 1800 };
  let over = false;
  mark('start');
  const running = Promise.all([load.run(() => over), deeds.run(() => over)]);
  for (const [phase, milliseconds] of Object.entries(time)) {
    if (phase !== 'start') mark(phase);
    const before = { writes: load.acknowledgedWrites, refused: load.refused.length };
    await sleep(milliseconds);
    if (phase === 'full') phases.read = await load.read(load.blobs[0].name).then(() => [], (error) => [`a read on a full disk: ${error.message}`]);
    phases.written[phase] = load.acknowledgedWrites - before.writes;
    phases.refused[phase] = load.refused.slice(before.refused);
  }
  over = true;
  await running;
  mark('end');
  return phases;
}

function judgeFullDisk(report, phases, deeds, installation, pids) {
  const refused = Object.values(phases.refused).flat();
  const unclear = refused.filter(({ status, code }) => status !== 507 || code !== 'InsufficientStorage');
  const mute = deeds.failed.filter((text) => !/: .*\w/.test(text));
  report('full_disk_refuses_plainly_and_is_read', [
    ...(refused.length ? [] : ['nothing was refused']), ...new Set(unclear.map(({ way, status, code }) => `${way} answered ${status} ${code}`)), ...mute, ...phases.read]);
  const restarted = Object.keys(pids).filter((name) => pids[name] !== installation.pids()[name]);
  report('writes_go_on_by_themselves_when_the_disk_has_room', [
    ...(phases.written.free > 10 ? [] : [`${phases.written.free} writes`]), ...restarted.map((name) => `${name} was started again`)]);
}

async function record(dir, program, seed, report) {
  const filesystem = await mount(dir);
  let installation;
  let marks;
  try {
    marks = fs.openSync(path.join(dir, 'state', '.mark'), 'w');
    const mark = (text) => fs.writeSync(marks, text, 0);
    installation = new Installation(program, { state: path.join(dir, 'state') });
    await installation.init();
    await installation.serve();
    installation.run(['key', 'create', 'crash']);
    installation.run(['account', 'create', 'crash', '--key', 'crash']);
    const load = new Load(installation, 'crash', 'data', { ...shape, mark, seed });
    await load.authorize();
    await load.makeContainer();
    const deeds = new Deeds(installation, mark);
    await deeds.prepare();
    const pids = installation.pids();
    const phases = await loadIt(load, deeds, mark);
    judgeFullDisk(report, phases, deeds, installation, pids);
    fs.writeFileSync(path.join(dir, 'load.json'), JSON.stringify({ client: installation.client, writes: load.history, deeds: { history: deeds.history, gated: deeds.gated } }));
  } catch (error) {
    throw Object.assign(error, { message: `${error.message}\n${installation?.log.slice(-1500) ?? ''}` });
  } finally {
    await installation?.stop();
    if (marks !== undefined) fs.closeSync(marks);
    execFileSync('fusermount3', ['-uz', path.join(dir, 'state')]); /* lazily: an error above is the one to hear of */
    await sleep(100);
    if (filesystem.exitCode === null) filesystem.kill('SIGTERM');
  }
}

/** What was begun and done at a point of the record, by its marks. */
class Story {
  constructor(records, writes, deeds) {
    this.at = { begin: new Map(), done: new Map() };
    records.forEach(({ kind, data }, i) => {
      if (kind !== 'mark') return;
      const [what, id] = data.toString().split(' ');
      if (id) this.at[what].set(id, i);
      else this[what] = i;
    });
    /* A mark that was lost would make a lawful disk look wrong, or a wrong one lawful. */
    for (const { id, isDone } of [...writes, ...deeds.history]) {
      if (!this.at.begin.has(String(id)) || Boolean(isDone) !== this.at.done.has(String(id))) throw new Error(`the record does not tell when ${id} began and ended`);
    }
    if (!(this.start < this.full && this.full < this.free && this.free < this.end)) throw new Error('the record has no start, middle or end');
    this.acknowledgements = [...this.at.done.values()].filter((i) => i > this.start && i < this.end);
  }

  begun(id, point) {
    return this.at.begin.get(String(id)) < point;
  }

  done(id, point) {
    return this.at.done.get(String(id)) < point;
  }

  /** Half of the points are right behind an acknowledgement, where what is not durable shows best. */
  point(random) {
    const { acknowledgements, start, end } = this;
    return 1 + (random() < 0.5 ? acknowledgements[Math.floor(random() * acknowledgements.length)] : start + Math.floor(random() * (end - start)));
  }

  allowed(writes, blob, point) {
    const own = writes.filter((write) => write.blob === blob && this.begun(write.id, point));
    const last = own.findLastIndex((write) => this.done(write.id, point));
    return [last < 0 ? 'absent' : own[last].value, ...own.slice(last + 1).map(({ value }) => value)];
  }

  lastOf(writes, blob, point) {
    const own = writes.filter((write) => write.blob === blob && this.begun(write.id, point)).slice(-4);
    return own.map(({ id, value }) => `${value} (begun at ${this.at.begin.get(String(id))}, done at ${this.at.done.get(String(id))})`).join(', ');
  }
}

/** Starts on what is left after a cut, and compares; gives the faults found. */
async function lookAt(installation, story, { writes, deeds }, point, isVerified) {
  const faults = [];
  try {
    await installation.serve();
    const look = new Load(installation, 'crash', 'data', shape);
    await look.authorize();
    await look.untilServed();
    const found = await look.check(({ name }) => story.allowed(writes, name, point));
    faults.push(...found.map((fault) => `${fault}; its last writes: ${story.lastOf(writes, fault.split(' ')[0], point)}`));
    faults.push(...await checkDeeds(installation, deeds, (id) => story.begun(id, point), (id) => story.done(id, point)));
    look.agent.destroy();
    for (const words of isVerified ? [['verify'], ['audit', 'verify']] : []) {
      const verified = installation.run(words, { allowFailure: true });
      if (verified.status !== 0) faults.push(`${words.join(' ')}: ${verified.stdout} ${verified.stderr}`);
    }
  } catch (error) {
    faults.push(`${error.message.slice(0, 800)} ${installation.log.slice(-800)}`);
  } finally {
    await installation.stop();
  }
  return faults;
}

/** Cuts at each point in turn, the disks under `room`; gives the faults found. */
async function cutAll(room, program, seed, points, disk, records, story, recorded) {
  const faults = [];
  let followed = 0;
  for (const [i, point] of points.entries()) {
    if (faults.length >= faultsMax) break;
    for (; followed < point; followed++) disk.follow(records[followed]);
    const state = path.join(room, `cut-${i}`);
    const keep = [0, 0.5, 0.9, 1][i % 4];
    disk.cut(state, seed + i, keep, (name) => /\/extents\/[0-9a-f]{2}\//.test(name));
    const installation = new Installation(program, { state });
    installation.client = { ...recorded.client, state };
    const found = await lookAt(installation, story, recorded, point, i % verifyEvery === 0);
    faults.push(...found.map((fault) => `cut at ${point} of ${records.length}, keep ${keep}: ${fault}`));
    if (!found.length || !process.env.KEEP) fs.rmSync(state, { recursive: true, force: true });
  }
  return faults;
}

async function replay(dir, program, seed, cuts) {
  const recorded = JSON.parse(fs.readFileSync(path.join(dir, 'load.json')));
  const records = readLog(path.join(dir, 'log'));
  const story = new Story(records, recorded.writes, recorded.deeds);
  const random = generator(seed);
  const points = [...Array(cuts)].map(() => story.point(random)).sort((a, b) => a - b);
  const room = roomForCuts(dir);
  let faults = [];
  let isForgetfulnessSeen = false;
  try {
    faults = await cutAll(room, program, seed, points, new Disk(), records, story, recorded);
    const forgetful = new Disk(() => random() < 0.5);
    isForgetfulnessSeen = (await cutAll(room, program, seed, points.slice(0, controlsMax), forgetful, records, story, recorded)).length > 0;
  } finally {
    if (faults.length && process.env.KEEP) console.log(`the disks that were found wrong are in ${room}`);
    else fs.rmSync(room, { recursive: true, force: true });
  }
  return { faults, isForgetfulnessSeen, writes: recorded.writes.length, deeds: recorded.deeds.history.length };
}

export async function cutting({ program, seed, cuts, report }) {
  const dir = process.env.RECORD ?? fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-power-'));
  fs.chmodSync(dir, 0o711); /* services under users of their own pass through */
  try {
    if (!process.env.RECORD) await record(dir, program, seed, report);
    const { faults, isForgetfulnessSeen, writes, deeds } = await replay(dir, program, seed, cuts);
    report(`power_cut_at_${cuts}_points_of_${writes}_writes_and_${deeds}_deeds_loses_nothing`, faults);
    report('a_disk_that_forgets_what_was_synced_is_found_out', isForgetfulnessSeen ? [] : ['every check passed on a disk that forgets']);
  } catch (error) {
    report('power', [error.message]);
  } finally {
    if (process.env.KEEP) console.log(`the record is in ${dir}`);
    else if (!process.env.RECORD) fs.rmSync(dir, { recursive: true, force: true });
  }
}

// Processes killed at random points under load, and power cut at random points of a recorded load: every acknowledged write is there, whole;
// nothing half-written shows; the next start needs no help.
// usage: node run.mjs PROGRAM      KILLS=60 CUTS=80 SEED=n ONLY=kill|power
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Installation } from '../sdk/installation.mjs';
import { Load, sleep } from './load.mjs';
import { Disk, generator, readLog } from './power.mjs';

const kills = Number(process.env.KILLS ?? 60);
const cuts = Number(process.env.CUTS ?? 80);
const seed = Number(process.env.SEED ?? Date.now() % 1e9);
const random = generator(seed);
const program = path.resolve(process.argv[2]);
let failed = 0;
function report(name, faults) {
  failed += faults.length ? 1 : 0;
  console.log(`${faults.length ? 'FAIL' : 'ok'} crash.${name}${faults.length ? ` (seed ${seed}) ${faults.slice(0, 5).join('; ')}` : ''}`);
}

/** Ends a process at once; 0 is a service that is down already (and would mean this very group). */
function kill(pid) {
  if (pid > 0) process.kill(pid, 'SIGKILL');
}

async function loaded(installation, options) {
  installation.run(['key', 'create', 'crash']);
  installation.run(['account', 'create', 'crash', '--key', 'crash']);
  const load = new Load(installation, 'crash', 'data', options);
  await load.authorize();
  await load.makeContainer();
  return load;
}

async function killing() {
  const installation = new Installation(program);
  const faults = { vault: [], identity: [], blob: [], all: [] };
  const count = { vault: 0, identity: 0, blob: 0, all: 0 };
  try {
    await installation.init();
    await installation.serve();
    const load = await loaded(installation);
    for (let i = 0; i < kills; i++) {
      const victim = ['blob', 'vault', 'blob', 'identity', 'blob', 'all'][Math.floor(random() * 6)];
      let stop = false;
      const running = load.run(() => stop);
      await sleep(30 + random() * 300);
      const pids = installation.pids();
      if (victim === 'all') {
        installation.child.kill('SIGKILL');
        for (const pid of Object.values(pids)) kill(pid);
        await installation.ended;
        await installation.serve();
      } else {
        kill(pids[victim]);
        if (victim !== 'blob') await sleep(20);
      }
      stop = true;
      await running;
      await load.untilServed();
      faults[victim].push(...(await load.check()).map((fault) => `kill ${i} of ${victim}: ${fault}`));
      count[victim]++;
    }
    for (const victim of Object.keys(faults)) report(`kill_${victim}_${count[victim]}_times_loses_nothing`, faults[victim]);
    report('kills_were_under_load', load.writes > kills * 10 ? [] : [`only ${load.writes} writes`]);
    const verified = installation.run(['verify'], { allowFailure: true });
    report('every_seal_holds_after_kills', verified.status === 0 ? [] : [verified.stdout + verified.stderr]);
    report('audit_chain_holds_after_kills', installation.run(['audit', 'verify'], { allowFailure: true }).status === 0 ? [] : ['broken']);
  } catch (error) {
    report('kill', [error.message, installation.log.slice(-1500)]);
  } finally {
    await installation.stop();
    installation.remove();
  }
}

function mount(dir) {
  execFileSync('cc', ['-O1', '-D_GNU_SOURCE', ...flags('--cflags'), path.join(import.meta.dirname ?? path.dirname(process.argv[1]), 'lossyfs.c'), '-o', path.join(dir, 'lossyfs'), ...flags('--libs')]);
  for (const name of ['backing', 'state']) fs.mkdirSync(path.join(dir, name), { mode: 0o700 });
  const child = spawn(path.join(dir, 'lossyfs'), [path.join(dir, 'backing'), path.join(dir, 'log'), path.join(dir, 'state'), '-f', '-o', 'attr_timeout=0,entry_timeout=0'], { stdio: 'inherit' });
  return child;
}
const flags = (what) => execFileSync('pkg-config', [what, 'fuse3'], { encoding: 'utf8' }).trim().split(/\s+/);

async function cutting() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-power-'));
  let filesystem;
  let installation;
  try {
    filesystem = mount(dir);
    for (let i = 0; i < 100 && !fs.existsSync(path.join(dir, 'state', '.mark')); i++) await sleep(50);
    const marks = fs.openSync(path.join(dir, 'state', '.mark'), 'w');
    installation = new Installation(program, { state: path.join(dir, 'state') });
    await installation.init();
    await installation.serve();
    const load = await loaded(installation, { writers: 4, blobsEach: 5, mark: (text) => fs.writeSync(marks, text) });
    fs.writeSync(marks, 'start');
    const end = Date.now() + 4000;
    const rotating = (async () => { while (Date.now() < end) { await sleep(700); installation.run(['key', 'rotate', 'crash']); } })();
    await load.run(() => Date.now() >= end);
    await rotating;
    fs.writeSync(marks, 'end');
    fs.closeSync(marks);
    await installation.stop();
    execFileSync('fusermount3', ['-u', path.join(dir, 'state')]);
    await replay(dir, installation, load);
  } catch (error) {
    report('power', [error.message, installation?.log.slice(-1500) ?? '']);
  } finally {
    await installation?.stop();
    if (filesystem?.exitCode === null) filesystem.kill('SIGTERM');
    await sleep(200);
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/** Cuts the power at points of the record and starts on what is left. */
async function replay(dir, recorded, load) {
  const records = readLog(path.join(dir, 'log'));
  const texts = records.map((record) => (record.kind === 'mark' ? record.data.toString() : ''));
  const first = texts.indexOf('start');
  const last = texts.indexOf('end');
  if (first < 0 || last < first) throw new Error('the record has no start or end');
  const points = [...Array(cuts)].map(() => first + 1 + Math.floor(random() * (last - first))).sort((a, b) => a - b);
  const faults = [];
  const disk = new Disk();
  let followed = 0;
  for (const [i, point] of points.entries()) {
    for (; followed < point; followed++) disk.follow(records[followed]);
    const state = path.join(dir, `cut-${i}`);
    const keep = [0, 0.5, 0.9, 1][i % 4];
    disk.cut(state, seed + i, keep);
    const begun = new Set(texts.slice(0, point).filter((text) => text.startsWith('begin ')).map((text) => Number(text.slice(6))));
    const done = new Set(texts.slice(0, point).filter((text) => text.startsWith('done ')).map((text) => Number(text.slice(5))));
    const installation = new Installation(program, { state });
    installation.client = { ...recorded.client, state };
    try {
      await installation.serve();
      const look = new Load(installation, 'crash', 'data', { writers: 4, blobsEach: 5 });
      await look.authorize();
      const found = await look.check((blob) => {
        const own = load.history.filter((write) => write.blob === blob.name && begun.has(write.id));
        const acknowledged = own.filter((write) => done.has(write.id)).at(-1);
        return [acknowledged?.value ?? 'absent', ...own.filter((write) => !done.has(write.id) && write.id > (acknowledged?.id ?? 0)).map((write) => write.value)];
      });
      for (const fault of found) {
        const own = load.history.filter((write) => fault.startsWith(`${write.blob} `) && begun.has(write.id)).slice(-4);
        const story = own.map(({ id, value }) => `${value} (begun at ${texts.indexOf(`begin ${id}`)}, done at ${texts.indexOf(`done ${id}`)})`).join(', ');
        faults.push(`cut at ${point} of ${records.length}, keep ${keep}: ${fault}; its last writes: ${story}`);
      }
      const verified = installation.run(['verify'], { allowFailure: true });
      if (verified.status !== 0) faults.push(`cut at ${point}, keep ${keep}: ${verified.stdout} ${verified.stderr}`);
    } catch (error) {
      faults.push(`cut at ${point}, keep ${keep}: ${error.message.slice(0, 800)}`);
    } finally {
      await installation.stop();
    }
    if (!process.env.KEEP) fs.rmSync(state, { recursive: true, force: true });
  }
  report(`power_cut_at_${cuts}_points_of_${load.writes}_writes_loses_nothing`, faults);
}

console.log(`crash tests with SEED=${seed}`);
if (process.env.ONLY !== 'power') await killing();
if (process.env.ONLY !== 'kill') await cutting();
process.exit(failed ? 1 : 0);

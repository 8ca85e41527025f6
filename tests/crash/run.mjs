// Processes killed at random points under load, and power cut at random points of a recorded load: every acknowledged write is there, whole;
// nothing half-written shows; the next start needs no help.
// usage: node run.mjs PROGRAM      KILLS=60 CUTS=80 OPERATION_CUTS=70 SEED=n ONLY=kill|power|operations KEEP=1 RECORD=DIR (cut.mjs says what they do)
import path from 'node:path';
import { Installation } from '../sdk/installation.mjs';
import { cutting } from './cut.mjs';
import { generator } from './generator.mjs';
import { Load, sleep } from './load.mjs';
import { operating } from './operations.mjs';

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

async function killing() {
  const installation = new Installation(program);
  const faults = { vault: [], identity: [], blob: [], all: [] };
  const count = { vault: 0, identity: 0, blob: 0, all: 0 };
  try {
    await installation.init();
    await installation.serve();
    installation.run(['key', 'create', 'crash']);
    installation.run(['account', 'create', 'crash', '--key', 'crash']);
    const load = new Load(installation, 'crash', 'data', { seed });
    await load.authorize();
    await load.makeContainer();
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
    for (let i = 0; i < 100 && installation.run(['status'], { allowFailure: true }).status !== 0; i++) await sleep(100); /* the last victim is on its way up */
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

console.log(`crash tests with SEED=${seed}`);
const only = process.env.ONLY;
if (!only || only === 'kill') await killing();
if (!only || only === 'power') await cutting({ program, seed, cuts, report });
if (!only || only === 'operations') await operating({ program, seed, cuts: Number(process.env.OPERATION_CUTS ?? 70), report });
process.exit(failed ? 1 : 0);

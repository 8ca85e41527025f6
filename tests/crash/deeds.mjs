// What an administrator does while the load runs, one deed after another: rotates the data's key, takes a key away and gives it back,
// makes accounts, clients, keys and certificates. A deed that was acknowledged stands after any crash.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Load, sleep } from './load.mjs';

const run = promisify(execFile);
const kinds = {
  disable: () => ['key', 'disable', 'gate', '--yes'],
  rotate: () => ['key', 'rotate', 'crash'],
  account: (number) => ['account', 'create', `acc${number}`, '--key', 'crash'],
  enable: () => ['key', 'enable', 'gate'],
  principal: (number) => ['principal', 'create', `client${number}`],
  key: (number) => ['key', 'create', `key${number}`, '--type', 'oct'],
  certificate: (number) => ['certificate', 'create', `cert${number}`, '--curve', 'P-256'],
};
const nameOf = { account: (number) => `acc${number}`, principal: (number) => `client${number}`, key: (number) => `key${number}`, certificate: (number) => `cert${number}` };

export class Deeds {
  constructor(installation, mark) {
    Object.assign(this, { installation, mark });
    /** Every deed in order: {id, kind, number, isDone, answer}, for replays. */
    this.history = [];
    this.failed = [];
  }

  /** An account under a key of its own, with one blob. */
  async prepare() {
    this.installation.run(['key', 'create', 'gate', '--type', 'oct']);
    this.installation.run(['account', 'create', 'gated', '--key', 'gate']);
    const load = new Load(this.installation, 'gated', 'data', { writers: 1, blobsEach: 1 });
    await load.authorize();
    await load.makeContainer();
    await load.write(load.blobs[0]);
    this.gated = load.blobs[0].acknowledged;
  }

  async run(until) {
    const order = Object.keys(kinds);
    for (let number = 0; !until(); number++) {
      const deed = { id: `deed${number}`, kind: order[number % order.length], number };
      this.history.push(deed);
      this.mark(`begin ${deed.id}`);
      try {
        const words = [...kinds[deed.kind](number), '--state', this.installation.state, '--format', 'json'];
        deed.answer = JSON.parse((await run(this.installation.binary, words)).stdout);
        this.mark(`done ${deed.id}`);
        deed.isDone = true;
      } catch (error) {
        this.failed.push(`${deed.kind}: ${(error.stderr ?? error.message).trim()}`);
        await sleep(20);
      }
    }
  }
}

/** Compares an installation with the deeds of which `begun` and `done` tell; gives the faults found. */
export async function checkDeeds(installation, { history, gated }, begun, done) {
  const faults = [];
  const own = (...of) => history.filter((deed) => of.includes(deed.kind) && begun(deed.id));
  const there = {
    account: installation.json(['account', 'list']).map(({ name }) => name),
    principal: installation.json(['principal', 'list']).map(({ name }) => name),
    key: installation.json(['key', 'list']).map(({ kid }) => kid.split('/').at(-1)),
    certificate: installation.json(['certificate', 'list']).map(({ id }) => id.split('/').at(-1)),
  };
  for (const kind of Object.keys(nameOf)) {
    for (const deed of own(kind)) if (done(deed.id) && !there[kind].includes(nameOf[kind](deed.number))) faults.push(`${kind} ${deed.number} is lost`);
  }
  const rotations = own('rotate');
  const versions = installation.json(['key', 'show', 'crash']).length - 1;
  if (versions < rotations.filter(({ id }) => done(id)).length || versions > rotations.length) faults.push(`the key has ${versions} versions more, ${rotations.length} were asked for`);
  faults.push(...await checkGate(installation, gated, own('disable', 'enable'), done));
  const client = own('principal').filter(({ id }) => done(id)).at(-1)?.answer;
  if (client) {
    const token = new Load({ client: { ...installation.client, clientId: client.clientId, clientSecret: client.secret } }, 'crash', 'data');
    await token.authorize().catch((error) => faults.push(`a client's secret is lost: ${error.message}`));
  }
  return faults;
}

/** A key that was taken away stays away, and nothing under it is read; one that was given back serves. */
async function checkGate(installation, gated, deeds, done) {
  const settled = deeds.findLastIndex(({ id }) => done(id));
  const allowed = [settled < 0 || deeds[settled].kind === 'enable', ...deeds.slice(settled + 1).map(({ kind }) => kind === 'enable')];
  const enabled = installation.json(['key', 'show', 'gate']).every(({ attributes }) => attributes.enabled);
  const load = new Load(installation, 'gated', 'data', { writers: 1, blobsEach: 1 });
  await load.authorize();
  const got = await load.read(load.blobs[0].name).catch((error) => error.status);
  const faults = allowed.includes(enabled) ? [] : [`the key is ${enabled ? 'enabled' : 'disabled'}, and was asked to be ${allowed.join(' or ')}`];
  return got === (enabled ? gated : 403) ? faults : [...faults, `with its key ${enabled ? 'enabled' : 'disabled'} a blob gives ${got}`];
}

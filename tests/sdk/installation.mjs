// A throw-away installation for tests, the demonstration and the benchmark: init, serve, clients, stop.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const services = ['identity-port', 'vault-port', 'blob-port', 'workspace-port', 'identity-internal-port', 'vault-internal-port', 'vault-provider-port'];

/** As many TCP ports of loopback that nobody uses now. */
export async function freePorts(count) {
  const servers = await Promise.all([...Array(count)].map(() => new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  })));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Runs the program to its end; gives status, stdout and stderr. */
function runProgram(binary, args, input) {
  const result = spawnSync(binary, args, { encoding: 'utf8', maxBuffer: 64 << 20, input });
  return { status: result.status ?? -1, stdout: result.stdout ?? '', stderr: result.stderr ?? '' };
}

export class Installation {
  constructor(binary, options = {}) {
    this.binary = path.resolve(binary);
    this.state = options.state ?? fs.mkdtempSync(path.join(options.under ?? os.tmpdir(), 'strongroom-'));
    this.settings = options.settings ?? {};
    this.log = '';
  }

  /** Makes the installation; afterwards `client` holds what init printed. `words` and `input` are for init alone. */
  async init({ words = [], input } = {}) {
    const ports = await freePorts(services.length);
    const flags = services.flatMap((name, i) => [`--${name}`, String(ports[i])]);
    for (const [name, value] of Object.entries(this.settings)) flags.push(`--${name}`, String(value));
    this.ports = Object.fromEntries(services.map((name, i) => [name, ports[i]]));
    const result = runProgram(this.binary, ['init', '--state', this.state, '--format', 'json', ...flags, ...words], input);
    if (result.status !== 0) throw new Error(`init failed: ${result.stderr}`);
    this.log += result.stderr;
    this.client = JSON.parse(result.stdout);
    return this;
  }

  /** Starts the services and waits until all serve, or until the vault says that it is sealed. */
  async serve({ sealed = false } = {}) {
    this.child = spawn(this.binary, ['serve', '--state', this.state], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.ended = new Promise((resolve) => this.child.once('exit', (code, signal) => resolve({ code, signal })));
    this.logged = new Promise((resolve) => this.child.stderr.once('close', resolve));
    await new Promise((resolve, reject) => {
      this.child.stderr.setEncoding('utf8');
      this.child.stderr.on('data', (text) => {
        this.log += text;
        if (text.includes(sealed ? 'sealed:' : 'serving:')) resolve();
      });
      this.ended.then(() => reject(new Error(`serve ended early:\n${this.log}`)));
    });
    return this;
  }

  /** One command of the command line; throws where it fails unless `allowFailure`. */
  run(words, { allowFailure = false, input } = {}) {
    const result = runProgram(this.binary, [...words, '--state', this.state], input);
    if (result.status !== 0 && !allowFailure) throw new Error(`strongroom ${words.join(' ')}: ${result.stderr || result.stdout}`);
    return result;
  }

  /** The same, its JSON output parsed. */
  json(words) {
    return JSON.parse(this.run([...words, '--format', 'json']).stdout);
  }

  /** Process ids by service, as the supervisor knows them. */
  pids() {
    const status = JSON.parse(fs.readFileSync(path.join(this.state, 'run', 'services.json'), 'utf8'));
    return Object.fromEntries(status.services.map((service) => [service.service, service.pid]));
  }

  async stop() {
    if (this.child && this.child.exitCode === null) this.child.kill('SIGTERM');
    await this.logged; // all that the services said as they ended, a leak checker's report say
    return this.ended;
  }

  remove() {
    fs.rmSync(this.state, { recursive: true, force: true });
  }
}

/** Runs this script again with the installation's CA trusted, which Node.js reads only at its start. */
export function rerunTrusting(installation, script, args = [], caFile = installation.client.caFile) {
  return new Promise((resolve) => {
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: caFile, STRONGROOM_TEST: JSON.stringify({
      client: installation.client, state: installation.state, ports: installation.ports, binary: installation.binary }) };
    const child = spawn(process.execPath, [script, ...args], { stdio: 'inherit', env });
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** The running installation that rerunTrusting told this process of. */
export function runningInstallation() {
  const told = JSON.parse(process.env.STRONGROOM_TEST);
  const installation = new Installation(told.binary, { state: told.state });
  installation.client = told.client;
  installation.ports = told.ports;
  return installation;
}

// A TPM 2.0 emulator with a state of its own, for tests.
import { spawn, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const isFree = (port) => new Promise((resolve) => {
  const server = net.createServer().once('error', () => resolve(false)).listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
});
const answers = (port) => new Promise((resolve) => {
  const socket = net.connect(port, '127.0.0.1').once('error', () => resolve(false)).once('connect', () => { socket.destroy(); resolve(true); });
});

export class Tpm {
  async start() {
    this.folder ??= fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-tpm-'));
    for (this.port ??= 20000 + Math.floor(Math.random() * 20000); !(await isFree(this.port)) || !(await isFree(this.port + 1)); this.port += 2);
    this.child = spawn('swtpm', ['socket', '--tpm2', '--server', `type=tcp,port=${this.port}`, '--ctrl', `type=tcp,port=${this.port + 1}`, '--tpmstate', `dir=${this.folder}`, '--flags', 'startup-clear'],
      { stdio: 'ignore' });
    this.ended = new Promise((resolve) => { this.child.once('exit', resolve); this.child.once('error', resolve); });
    for (let i = 0; !(await answers(this.port + 1)); i++) {
      if (i === 500) throw new Error('swtpm does not answer: scripts/setup check installs it');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return this;
  }

  get tcti() {
    return `swtpm:host=127.0.0.1,port=${this.port}`;
  }

  /** Extends a register, as another boot would. */
  extend(register) {
    execFileSync('tpm2_pcrextend', [`${register}:sha256=${'5a'.repeat(32)}`], { env: { ...process.env, TPM2TOOLS_TCTI: this.tcti }, stdio: 'ignore' });
  }

  async stop() {
    this.child.kill('SIGTERM');
    await this.ended;
  }

  async remove() {
    await this.stop();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

// A SoftHSM token in a directory of its own, for tests and the benchmark: a real PKCS#11 module without hardware.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export const module = '/usr/lib/softhsm/libsofthsm2.so';

export class Token {
  constructor(label = 'strongroom', pin = '4711-0815') {
    this.label = label;
    this.pin = pin;
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-token-'));
    this.directory = path.join(this.folder, 'tokens');
    this.config = path.join(this.folder, 'softhsm2.conf');
    this.pinFile = path.join(this.folder, 'pin');
    fs.mkdirSync(this.directory, { mode: 0o700 });
    fs.writeFileSync(this.config, `directories.tokendir = ${this.directory}\nobjectstore.backend = file\nlog.level = ERROR\n`);
    fs.writeFileSync(this.pinFile, `${pin}\n`, { mode: 0o600 });
    this.initialise();
  }

  initialise() {
    execFileSync('softhsm2-util', ['--init-token', '--free', '--label', this.label, '--so-pin', '12345678', '--pin', this.pin], { env: this.env, stdio: 'ignore' });
  }

  get env() {
    return { ...process.env, SOFTHSM2_CONF: this.config };
  }

  /** What an installation that is to use it is told. */
  get settings() {
    return { 'pkcs11-module': module, 'pkcs11-token': this.label, 'pkcs11-pin-file': this.pinFile, 'pkcs11-config': `SOFTHSM2_CONF=${this.config}`, 'pkcs11-directory': this.directory };
  }

  tool(...words) {
    return execFileSync('pkcs11-tool', ['--module', module, '--token-label', this.label, '--login', '--pin', this.pin, ...words], { env: this.env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** The objects that are in the token, as pkcs11-tool shows them: kind, id and access. */
  objects() {
    return this.tool('--list-objects').split(/\n(?=\S)/).filter((text) => /Object/.test(text)).map((text) => ({
      kind: text.split(';')[0].trim(), id: /ID:\s+(\w+)/.exec(text)?.[1], access: /Access:\s+(.*)/.exec(text)?.[1] ?? '', text }));
  }

  /** The token goes away and comes back: its directory does. */
  hide() {
    fs.renameSync(this.directory, `${this.directory}.away`);
    fs.mkdirSync(this.directory, { mode: 0o700 });
  }

  show() {
    fs.rmSync(this.directory, { recursive: true });
    fs.renameSync(`${this.directory}.away`, this.directory);
  }

  remove() {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

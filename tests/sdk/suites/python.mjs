// Azure's SDK for Python, as Debian packages it: every operation of keys, secrets and certificates, each step by its name.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { suite, step, finish, must, installation, unique } from '../steps.mjs';

suite('python');
const script = path.join(import.meta.dirname, '..', 'vault_client.py');
const python = ['/usr/bin/python3', 'python3'].find((one) => spawnSync(one, ['-c', 'import azure.keyvault.keys, azure.keyvault.secrets, azure.keyvault.certificates'], { stdio: 'ignore' }).status === 0);
if (!python) {
  console.log(`skip ${process.env.STRONGROOM_SUITE ?? 'sdk'}.python (not on this machine)`);
  finish();
}
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-python-'));
process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
const openssl = (...words) => execFileSync('openssl', words, { cwd: folder, stdio: 'ignore' });
openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'outside.key', '-out', 'outside.crt', '-subj', '/CN=outside', '-days', '9');
openssl('pkcs12', '-export', '-inkey', 'outside.key', '-in', 'outside.crt', '-out', 'outside.pfx', '-passout', 'pass:word');
fs.writeFileSync(path.join(folder, 'outside.pem'), fs.readFileSync(path.join(folder, 'outside.key'), 'latin1') + fs.readFileSync(path.join(folder, 'outside.crt'), 'latin1'));

/** Steps that the script has, by its own words, and how it went on: each is waited for by its name. */
const steps = /^for work in \(([\w, ]+)\):$/m.exec(fs.readFileSync(script, 'utf8'))[1].split(', ');
const trust = { REQUESTS_CA_BUNDLE: installation.client.caFile, SSL_CERT_FILE: installation.client.caFile, PYTHONDONTWRITEBYTECODE: '1' };
const child = spawn(python, [script, unique(), folder], { env: { ...process.env, ...trust } });
let said = '';
let complained = '';
child.stdout.on('data', (text) => { said += text; });
child.stderr.on('data', (text) => { complained += text; });
const ended = new Promise((resolve) => child.once('close', resolve));
for (const name of steps) await step(name, async () => {
  await Promise.race([ended, (async () => { while (!said.split('\n').includes(name)) await new Promise((resolve) => setTimeout(resolve, 50)); })()]);
  must(said.split('\n').includes(name), complained.slice(-600) || 'the step is held');
});
await step('the_script_ends_well', async () => must(await ended === 0, complained.slice(-600)));
finish();

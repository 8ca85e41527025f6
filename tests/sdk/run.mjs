// Runs the SDK suites and the shared scenarios against an installation made for them.
// usage: node run.mjs PROGRAM [PREFIX]      SUITES=keys,blob chooses
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Installation, freePorts, rerunTrusting } from './installation.mjs';
import { findCanaries, canaries, plantAndFind } from './canary.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const prefix = process.argv[3] ?? 'sdk';
process.env.STRONGROOM_SUITE = prefix;
const chosen = process.env.SUITES?.split(',');
let failed = 0;
function report(name, ok, why = '') {
  console.log(`${ok ? 'ok' : 'FAIL'} ${prefix}.${name}${ok ? '' : ` ${why}`}`);
  failed += ok ? 0 : 1;
}

/** What of the shared scenarios belongs to rooms that are not built yet. */
const later = {
  'keyvault.mjs': [],
  'blob.mjs': ['blob.append', 'blob.page', 'lease.blob', 'lease.container', 'snapshot', 'tags', 'tags.find', 'copy.sync_async', 'copy.put_block_from_url', 'sas.blob_read', 'sas.expired',
    'sas.tampered', 'sas.container', 'sas.account', 'sas.stored_policy', 'batch.delete', 'token.user_delegation_sas'],
};

/** Runs a scenario that every implementation must pass, unmodified, from a copy beside the SDKs. */
function scenario(installation, name, env) {
  const source = path.join(here, '..', '..', '..', 'shared', 'scenarios');
  if (!fs.existsSync(path.join(source, name))) {
    console.log(`skip ${prefix}.scenario.${name} (no shared scenarios beside this checkout)`);
    return Promise.resolve();
  }
  const copies = fs.mkdtempSync(path.join(here, 'node_modules', '.scenario-'));
  for (const file of ['_lib.mjs', name]) fs.copyFileSync(path.join(source, file), path.join(copies, file));
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [path.join(copies, name)], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_EXTRA_CA_CERTS: installation.client.caFile,
      AUTHORITY: installation.client.authority, TENANT: installation.client.tenant, CLIENT_ID: installation.client.clientId, CLIENT_SECRET: installation.client.clientSecret,
      VAULT_URL: installation.client.vaultUrl, SKIP: later[name].join(), ...env } });
    let output = '';
    child.stdout.on('data', (text) => { output += text; });
    child.once('close', (code) => {
      const label = `${prefix}.scenario.${name.replace('.mjs', '')}`;
      process.stdout.write(output.replace(/^(ok|FAIL|skip) /gm, `$1 ${label}.`));
      if (code !== 0 && !/^FAIL /m.test(output)) report(`scenario.${name}`, false, `ended with ${code}`);
      failed += code === 0 ? 0 : 1;
      fs.rmSync(copies, { recursive: true, force: true });
      resolve();
    });
  });
}

const [imdsPort] = await freePorts(1);
const installation = new Installation(process.argv[2], { settings: { 'log-level': 'debug', 'imds-listen': `127.0.0.1:${imdsPort}` } });
try {
  await installation.init();
  await installation.serve();
  const suites = fs.readdirSync(path.join(here, 'suites')).sort().filter((name) => !chosen || chosen.includes(name.replace('.mjs', '')));
  for (const name of suites) failed += await rerunTrusting(installation, path.join(here, 'suites', name)) ? 1 : 0;
  if (!chosen || chosen.includes('scenarios')) {
    const account = installation.json(['account', 'create', 'scenario']);
    await scenario(installation, 'keyvault.mjs', { CERTS: '1' });
    await scenario(installation, 'blob.mjs', { BLOB_URL: `${installation.client.blobEndpoint}/scenario`, ACCOUNT: 'scenario', ACCOUNT_KEY: account.key1, SIZE_MIB: '32' });
  }
  report('verify', installation.run(['verify'], { allowFailure: true }).status === 0, 'strongroom verify found damage');
  report('audit.verify', installation.run(['audit', 'verify'], { allowFailure: true }).status === 0, 'the audit chain is broken');
  const known = canaries(installation);
  report('canary.running', findCanaries(installation, known).length === 0, findCanaries(installation, known).join('; '));
  const { code, signal } = await installation.stop();
  report('stop.is_clean', code === 0, `supervisor ended with ${code ?? signal}`);
  report('canary.stopped', findCanaries(installation, known).length === 0, findCanaries(installation, known).join('; '));
  report('canary.planted_is_found', plantAndFind(installation, known), 'the scanner missed a planted canary');
  report('log.has_no_sanitizer_report', !/\w+Sanitizer(:| has encountered)|runtime error:/.test(installation.log), 'see the log below');
} catch (error) {
  report('run', false, error.message.slice(0, 2000));
} finally {
  await installation.stop();
  if (failed) process.stderr.write(installation.log.slice(-20000));
  installation.remove();
}
process.exit(failed ? 1 : 0);

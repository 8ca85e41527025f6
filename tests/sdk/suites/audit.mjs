// The audit logs: who did what, from where and how it went; nothing secret; whole, signed, checked elsewhere by the public key alone.
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawn, spawnSync } from 'node:child_process';
import { ClientSecretCredential } from '@azure/identity';
import { CryptographyClient, KeyClient } from '@azure/keyvault-keys';
import { suite, step, finish, must, equal, installation, credential, keyClient, raw, unique } from '../steps.mjs';
import { Installation } from '../installation.mjs';

suite('audit');
const { client } = installation;
const keys = keyClient();
const cred = credential();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-audit-'));
const file = (name, text) => { const to = path.join(folder, name); if (text !== undefined) fs.writeFileSync(to, text); return to; };
const audit = (words, options) => installation.run(['audit', ...words], options);
const show = (...words) => audit(['show', ...words]).stdout.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));
/** The command line as on another machine: without an installation. */
const elsewhere = (words, input) => spawnSync(installation.binary, ['audit', 'verify', '--state', path.join(folder, 'none'), ...words], { encoding: 'utf8', input, maxBuffer: 64 << 20 });
const attempt = async (work) => { try { await work(); } catch { /* refusals are what is wanted */ } };

await step('each_operation_is_recorded_with_who_what_from_where_and_outcome', async () => {
  const name = `audited-${unique()}`;
  const key = await keys.createKey(name, 'RSA');
  const service = new CryptographyClient(key.id, cred, { disableChallengeResourceVerification: true });
  await service.sign('RS256', crypto.randomBytes(32));
  await keys.updateKeyProperties(name, key.properties.version, { enabled: false });
  await attempt(() => service.sign('RS256', crypto.randomBytes(32)));
  await attempt(() => keys.getKey(`${name}-none`));
  const of = show('--object', `default/keys/${name}`, '--limit', '1000');
  equal(of.map((entry) => `${entry.operation} ${entry.outcome === 'ok' ? 'ok' : 'refused'}`).join(', '), 'KeyCreate ok, KeyGet ok, KeySign ok, KeyUpdate ok, KeySign refused', 'operations');
  for (const entry of of) {
    equal(entry.who.oid, client.objectId, 'who');
    equal(entry.who.appid, client.clientId, 'application');
    must(['127.0.0.1', '::1'].includes(entry.from), `from where: ${entry.from}`);
    must(/^[0-9a-f-]{36}$/.test(entry.request), 'request id');
    must(entry.object.startsWith(`default/keys/${name}/${key.properties.version}`), 'version');
  }
  equal(of[4].status, 403, 'status of the refusal');
  equal(show('--object', `default/keys/${name}-none`)[0].status, 404, 'what is not there is recorded too');
});

await step('filters_limits_and_order', async () => {
  const all = show('--limit', '100000');
  must(all.length > 20, 'entries');
  all.forEach((entry, i) => equal(entry.seq, i + 1, 'sequence'));
  equal(show('--limit', '3').map((entry) => entry.seq).join(), all.slice(-3).map((entry) => entry.seq).join(), 'the last three');
  equal(show('--after', '5', '--limit', '2').map((entry) => entry.seq).join(), '6,7', 'behind the fifth');
  const creations = show('--operation', 'keycreate', '--limit', '100000');
  equal(creations.length, all.filter((entry) => entry.operation === 'KeyCreate').length, 'by operation');
  equal(show('--operation', 'KeyCreate', '--limit', '1')[0].seq, creations.at(-1).seq, 'the last that fits');
  must(show('--outcome', 'refused').every((entry) => entry.outcome !== 'ok'), 'refused');
  must(show('--who', 'blob').every((entry) => entry.who.service === 'blob'), 'who');
  equal(show('--since', all.at(-1).time, '--limit', '100000').length >= 1, true, 'since');
  equal(show('--until', all[0].time).length, 0, 'until');
  must(audit(['show', '--since', 'yesterday'], { allowFailure: true }).stderr.includes('2026-11-24'), 'a wrong time is explained');
});

await step('follow_shows_what_comes', async () => {
  const child = spawn(installation.binary, ['audit', 'show', '--limit', '1', '--follow', '--state', installation.state], { stdio: ['ignore', 'pipe', 'inherit'] });
  let seen = '';
  child.stdout.setEncoding('utf8');
  const name = `followed-${unique()}`;
  try {
    await new Promise((resolve, reject) => {
      child.once('exit', () => reject(new Error('it ended')));
      child.stdout.on('data', (text) => {
        if (!seen) attempt(() => keys.createKey(name, 'EC'));
        seen += text;
        if (seen.includes(name)) resolve();
      });
    });
  } finally {
    child.removeAllListeners('exit');
    child.kill();
  }
});

await step('sign_ins_and_changes_of_principals_are_recorded_by_identity', async () => {
  const name = `auditee-${unique()}`;
  const made = installation.json(['principal', 'create', name]);
  const wrong = `wrong-${crypto.randomBytes(24).toString('hex')}`;
  const options = { authorityHost: client.authority, disableInstanceDiscovery: true, retryOptions: { maxRetries: 0 } };
  await new ClientSecretCredential(client.tenant, made.clientId, made.secret, options).getToken('https://vault.azure.net/.default');
  await attempt(() => new ClientSecretCredential(client.tenant, made.clientId, wrong, options).getToken('https://vault.azure.net/.default'));
  installation.run(['principal', 'disable', made.objectId]);
  await attempt(() => new ClientSecretCredential(client.tenant, made.clientId, made.secret, options).getToken('https://vault.azure.net/.default'));
  const entries = show('--service', 'identity', '--limit', '100000');
  const own = entries.filter((entry) => entry.who.appid === made.clientId && entry.operation === 'SignIn');
  equal(own.map((entry) => entry.outcome).join(), 'ok,AADSTS7000215,AADSTS7000112', 'sign-ins');
  equal(own[0].who.oid, made.objectId, 'who signed in');
  must(entries.some((entry) => entry.operation === 'PrincipalCreate' && entry.object.endsWith(made.objectId) && entry.detail.includes(name)), 'creation');
  must(entries.some((entry) => entry.operation === 'PrincipalUpdate' && entry.object.endsWith(made.objectId) && entry.detail === 'enabled=false' && entry.who.oid === 'local'), 'disabling');
  const text = audit(['export', '--service', 'identity']).stdout;
  for (const secret of [made.secret, wrong, client.clientSecret]) must(!text.includes(secret), 'no secret');
  equal(audit(['verify', '--service', 'identity']).status, 0, 'identity\'s log is whole');
});

await step('nothing_secret_is_in_it', async () => {
  const secret = `hush-${crypto.randomBytes(24).toString('hex')}`;
  const { token } = await cred.getToken('https://vault.azure.net/.default');
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const send = (method, target, body, more = {}) => raw(client.vaultUrl, { method, path: target, headers: { ...headers, ...more }, body: body && JSON.stringify(body) });
  const name = `quiet-${unique()}`;
  const value = Buffer.from(secret).toString('base64url');
  await send('POST', `/keys/${name}/create?api-version=7.4`, { kty: 'RSA', tags: { t: secret } });
  const { key } = JSON.parse((await send('GET', `/keys/${name}?api-version=7.4`)).body);
  const at = new URL(key.kid).pathname;
  const encrypted = JSON.parse((await send('POST', `${at}/encrypt?api-version=7.4`, { alg: 'RSA-OAEP', value })).body).value;
  await send('POST', `${at}/decrypt?api-version=7.4`, { alg: 'RSA-OAEP', value: encrypted });
  await send('POST', `${at}/wrapkey?api-version=7.4`, { alg: secret, value });
  const oct = crypto.randomBytes(32).toString('base64url');
  await send('PUT', `/keys/${name}-oct?api-version=7.4`, { key: { kty: 'oct', k: oct, key_ops: ['encrypt', 'decrypt'] } });
  const backup = JSON.parse((await send('POST', `/keys/${name}/backup?api-version=7.4`)).body).value;
  await send('PUT', `/secrets/${name}?api-version=7.4`, { value: secret, contentType: secret, tags: { t: secret } });
  await send('GET', `/secrets/${name}?api-version=7.4`);
  await send('POST', '/keys/restore?api-version=7.4', { value: secret });
  await send('GET', `/keys?api-version=7.4&$skiptoken=${secret}`);
  await send('GET', `/keys?api-version=${secret}`);
  await send('GET', `/keys?api-version=7.4`, undefined, { authorization: `Bearer ${secret}` });
  const text = audit(['export']).stdout;
  for (const [what, word] of Object.entries({ secret, value, token, encrypted, oct, backup, clientSecret: client.clientSecret })) must(word && !text.includes(word), `${what} is not in the log`);
  must(text.includes(name), 'what was done is');
});

await step('an_export_verifies_elsewhere_by_the_public_key_alone', async () => {
  const pem = file('log.pem', audit(['public-key']).stdout);
  const text = audit(['export']).stdout;
  const log = file('log.ndjson', text);
  const whole = elsewhere(['--export', log, '--public-key', pem, '--format', 'json']);
  equal(whole.status, 0, `verifies: ${whole.stdout}${whole.stderr}`);
  equal(JSON.parse(whole.stdout).entries, JSON.parse(text.trim().split('\n').at(-1)).entries, 'all entries');
  equal(elsewhere(['--export', '-', '--public-key', pem], text).status, 0, 'from standard input');
  const changed = elsewhere(['--export', '-', '--public-key', pem], text.replace('"operation":"KeyCreate"', '"operation":"KeyDelete"'));
  equal(changed.status, 1, 'a changed entry');
  const seq = JSON.parse(text.split('\n').find((line) => line.includes('"operation":"KeyCreate"'))).seq;
  must(changed.stdout.includes(`entry ${seq}:`), `names the entry: ${changed.stdout}`);
  const lines = text.split('\n');
  equal(elsewhere(['--export', '-', '--public-key', pem], lines.slice(0, -20).join('\n') + '\n').status, 1, 'a cut one');
  equal(elsewhere(['--export', '-', '--public-key', pem], lines.filter((line) => !line.startsWith('{"seq":7,')).join('\n')).status, 1, 'one without an entry');
  const { publicKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  equal(elsewhere(['--export', log, '--public-key', file('other.pem', publicKey.export({ type: 'spki', format: 'pem' }))]).status, 1, 'under another key');
  must(elsewhere(['--export', log]).stderr.includes('--public-key'), 'without a key it says what to do');
});

await step('a_checkpoint_verifies_with_openssl', async () => {
  const line = audit(['anchor']).stdout.trim();
  file('statement', line.slice(line.indexOf('"statement":') + 12, -1));
  file('signature', Buffer.from(JSON.parse(line).signature, 'base64'));
  const openssl = () => spawnSync('openssl', ['dgst', '-sha256', '-verify', file('log.pem'), '-signature', file('signature'), file('statement')], { encoding: 'utf8' });
  must(openssl().stdout.includes('Verified OK'), 'openssl verifies');
  file('statement', fs.readFileSync(file('statement'), 'utf8').replace('"sequence":', '"sequence":1'));
  must(!openssl().stdout.includes('Verified OK'), 'and finds a change');
  const { sequence, key } = JSON.parse(line).statement;
  must(sequence >= show('--limit', '1')[0].seq, 'covers all');
  must(/^[0-9a-f]{32}$/.test(key), 'names its key');
});

await step('the_signing_key_changes_and_both_keys_vouch', async () => {
  const before = file('log.pem');
  const after = file('after.pem', audit(['rotate-key']).stdout);
  must(fs.readFileSync(before, 'utf8') !== fs.readFileSync(after, 'utf8'), 'another key');
  equal(audit(['public-key']).stdout, fs.readFileSync(after, 'utf8'), 'which signs now');
  await keys.createKey(`after-${unique()}`, 'EC');
  const text = audit(['export']).stdout;
  for (const pem of [before, after]) equal(elsewhere(['--export', '-', '--public-key', pem], text).status, 0, 'verifies');
  equal(audit(['verify']).status, 0, 'whole');
});

await step('many_at_once_are_all_recorded_in_one_chain', async () => {
  const name = `many-${unique()}`;
  const key = await keys.createKey(name, 'EC');
  const service = new CryptographyClient(key.id, cred, { disableChallengeResourceVerification: true });
  await Promise.all([...Array(200)].map(() => service.sign('ES256', crypto.randomBytes(32))));
  equal(show('--object', `default/keys/${name}`, '--operation', 'KeySign', '--limit', '1000').length, 200, 'entries');
  equal(audit(['verify']).status, 0, 'whole');
});

await step('an_anchor_finds_a_rollback', async () => {
  const other = new Installation(installation.binary);
  try {
    await (await other.init()).serve();
    await other.stop();
    fs.cpSync(path.join(other.state, 'vault'), path.join(folder, 'old-vault'), { recursive: true, filter: (from) => !from.endsWith('.sock') });
    await other.serve();
    other.run(['key', 'create', 'lost']);
    const anchor = file('anchor.json', other.run(['audit', 'anchor']).stdout);
    equal(other.run(['audit', 'verify', '--anchor', anchor]).status, 0, 'holds while nothing happened');
    await other.stop();
    fs.rmSync(path.join(other.state, 'vault'), { recursive: true });
    fs.cpSync(path.join(folder, 'old-vault'), path.join(other.state, 'vault'), { recursive: true });
    fs.chmodSync(path.join(other.state, 'vault'), 0o700);
    await other.serve();
    equal(other.run(['audit', 'verify']).status, 0, 'the old log is whole in itself');
    const found = other.run(['audit', 'verify', '--anchor', anchor], { allowFailure: true });
    equal(found.status, 1, 'but the anchor tells');
    must(/rolled back|anchor/.test(found.stdout), found.stdout);
    equal(audit(['verify', '--anchor', anchor], { allowFailure: true }).status, 1, 'another installation is not the one');
  } finally {
    await other.stop();
    other.remove();
  }
});

fs.rmSync(folder, { recursive: true, force: true });
finish();

// The secrets API of Key Vault, by Azure's unmodified SDK: every operation, and refusals in the service's shape.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CertificateClient } from '@azure/keyvault-certificates';
import { SecretClient } from '@azure/keyvault-secrets';
import { suite, step, finish, must, equal, refused, installation, credential, raw, unique } from '../steps.mjs';
import { words } from '../canary.mjs';

suite('secrets');
const { client } = installation;
const cred = credential();
const secrets = new SecretClient(client.vaultUrl, cred, { disableChallengeResourceVerification: true, retryOptions: { maxRetries: 0 } });
const poll = { intervalInMs: 20 };
const bearer = async () => ({ authorization: `Bearer ${(await cred.getToken('https://vault.azure.net/.default')).token}`, 'content-type': 'application/json' });
const all = async (list) => { const items = []; for await (const item of list) items.push(item); return items; };
const inner = (error) => error.details?.error?.innerError?.code;
const refusedWithin = async (promise, code) => {
  const error = await refused(promise, 403, 'Forbidden');
  equal(inner(error), code, 'innererror');
};

await step('set_get_and_versions', async () => {
  const name = `${words.key}-secret-${unique()}`;
  const value = `välue "${words.tag}"\n\t\u{1f511}`;
  const expiresOn = new Date(2e9 * 1000);
  const first = await secrets.setSecret(name, value, { contentType: 'text/plain', tags: { [words.tag]: words.tag }, expiresOn, notBefore: new Date(1000e3) });
  const second = await secrets.setSecret(name.toUpperCase(), 'two');
  equal(second.name, name, 'a name keeps the letters of its making');
  must(first.properties.version !== second.properties.version, 'a new version');
  equal((await secrets.getSecret(name)).value, 'two', 'the newest');
  const old = await secrets.getSecret(name, { version: first.properties.version });
  equal(old.value, value, 'the value');
  equal(old.properties.contentType, 'text/plain', 'content type');
  equal(old.properties.tags[words.tag], words.tag, 'tag');
  equal(old.properties.expiresOn.getTime(), expiresOn.getTime(), 'end');
  equal(old.properties.notBefore.getTime(), 1000e3, 'beginning');
  equal(old.properties.recoverableDays, 90, 'recoverableDays');
  equal(old.properties.recoveryLevel, 'Recoverable+Purgeable', 'recoveryLevel');
  equal((await all(secrets.listPropertiesOfSecretVersions(name))).map((version) => version.version).join(), `${first.properties.version},${second.properties.version}`, 'versions');
  await secrets.setSecret(`empty-${unique()}`, '');
});
await step('values_of_every_length_come_back', async () => {
  for (const length of [1, 255, 4096, 25600]) {
    const name = `length-${unique()}`;
    await secrets.setSecret(name, 'v'.repeat(length));
    equal((await secrets.getSecret(name)).value.length, length, 'length');
  }
  await refused(secrets.setSecret(`length-${unique()}`, 'v'.repeat(25601)), 400, 'BadParameter');
  await refused(secrets.setSecret(`length-${unique()}`, 'é'.repeat(12801)), 400, 'BadParameter');
});
await step('update_and_disable', async () => {
  const name = `update-${unique()}`;
  const { properties } = await secrets.setSecret(name, 'value', { contentType: 'a/b' });
  const updated = await secrets.updateSecretProperties(name, properties.version, { tags: { a: 'b' }, contentType: 'c/d', expiresOn: new Date(1000e3) });
  equal(updated.tags.a, 'b', 'tag');
  equal(updated.contentType, 'c/d', 'content type');
  equal((await secrets.getSecret(name)).value, 'value', 'an expired secret is still given');
  await secrets.updateSecretProperties(name, properties.version, { enabled: false });
  await refusedWithin(secrets.getSecret(name), 'SecretDisabled');
  await refusedWithin(secrets.getSecret(name, { version: properties.version }), 'SecretDisabled');
  must((await all(secrets.listPropertiesOfSecrets())).some((item) => item.name === name && item.enabled === false), 'listed as disabled');
  await secrets.updateSecretProperties(name, properties.version, { enabled: true });
  equal((await secrets.getSecret(name)).value, 'value', 'enabled again');
});
await step('soft_delete_recover_purge', async () => {
  const name = `delete-${unique()}`;
  await secrets.setSecret(name, 'one');
  await secrets.setSecret(name, 'two');
  const deleted = await (await secrets.beginDeleteSecret(name, poll)).pollUntilDone();
  must(deleted.recoveryId.endsWith(`/deletedsecrets/${name}`), 'recoveryId');
  equal(deleted.scheduledPurgeDate - deleted.deletedOn, 90 * 86400e3, 'retention');
  await refused(secrets.getSecret(name), 404, 'SecretNotFound');
  const blocked = await refused(secrets.setSecret(name, 'three'), 409, 'Conflict');
  equal(inner(blocked), 'ObjectIsDeletedButRecoverable', 'innererror');
  equal((await secrets.getDeletedSecret(name)).value, undefined, 'no value while deleted');
  must((await all(secrets.listDeletedSecrets())).some((item) => item.name === name), 'among the deleted');
  must(!(await all(secrets.listPropertiesOfSecrets())).some((item) => item.name === name), 'not among the others');
  await (await secrets.beginRecoverDeletedSecret(name, poll)).pollUntilDone();
  equal((await secrets.getSecret(name)).value, 'two', 'recovered');
  await (await secrets.beginDeleteSecret(name, poll)).pollUntilDone();
  await secrets.purgeDeletedSecret(name);
  await refused(secrets.getDeletedSecret(name), 404, 'SecretNotFound');
  await refused(secrets.purgeDeletedSecret(name), 404, 'SecretNotFound');
  await secrets.setSecret(name, 'anew');
  equal((await all(secrets.listPropertiesOfSecretVersions(name))).length, 1, 'versions');
});
await step('lists_page_by_25', async () => {
  for (let i = 0; i < 30; i++) await secrets.setSecret(`many-${String(i).padStart(2, '0')}-${unique()}`, 'x');
  for (const [size, most] of [[undefined, 25], [7, 7]]) {
    const names = new Set();
    let pages = 0;
    for await (const page of secrets.listPropertiesOfSecrets().byPage({ maxPageSize: size })) {
      pages++;
      must(page.length <= most, `at most ${most} a page`);
      for (const secret of page) { must(!names.has(secret.name), 'no name twice'); names.add(secret.name); }
    }
    must(names.size >= 30 && pages >= Math.ceil(30 / most), 'all, in pages');
  }
});
await step('backup_and_restore', async () => {
  const name = `backup-${unique()}`;
  const first = await secrets.setSecret(name, 'one', { tags: { a: 'b' } });
  await secrets.setSecret(name, 'two');
  const backup = await secrets.backupSecret(name);
  must(!Buffer.from(backup).includes('two'), 'a backup shows no value');
  await refused(secrets.restoreSecretBackup(backup), 409, 'Conflict');
  await (await secrets.beginDeleteSecret(name, poll)).pollUntilDone();
  await secrets.purgeDeletedSecret(name);
  equal((await secrets.restoreSecretBackup(backup)).name, name, 'restored');
  equal((await secrets.getSecret(name)).value, 'two', 'the newest');
  equal((await secrets.getSecret(name, { version: first.properties.version })).value, 'one', 'the old one');
  const changed = Uint8Array.from(backup);
  changed[backup.length >> 1] ^= 1;
  await refused(secrets.restoreSecretBackup(changed), 400, 'BadParameter');
});
await step('a_certificates_secret_is_read_and_left_alone', async () => {
  const certificates = new CertificateClient(client.vaultUrl, cred, { disableChallengeResourceVerification: true, retryOptions: { maxRetries: 0 } });
  const name = `certificate-${unique()}`;
  await (await certificates.beginCreateCertificate(name, { issuerName: 'Self', subject: 'CN=example' }, poll)).pollUntilDone();
  const { value, properties } = await secrets.getSecret(name);
  equal(properties.managed, true, 'managed');
  equal(properties.contentType, 'application/x-pkcs12', 'kept as');
  must(properties.certificateKeyId.endsWith(`/keys/${name}/${properties.version}`), 'kid');
  must(Buffer.from(value, 'base64').length > 1000, 'PKCS#12');
  const pem = await raw(client.vaultUrl, { path: `/secrets/${name}?api-version=7.5&outContentType=application/x-pem-file`, headers: await bearer() });
  must(/BEGIN PRIVATE KEY[^]*BEGIN CERTIFICATE/.test(JSON.parse(pem.body).value), `PEM, not ${pem.body.slice(0, 200)}`);
  await refusedWithin(secrets.setSecret(name, 'mine'), 'SecretManagedByKeyVault');
  await refusedWithin(secrets.updateSecretProperties(name, properties.version, { enabled: false }), 'SecretManagedByKeyVault');
  await refusedWithin(secrets.beginDeleteSecret(name, poll), 'SecretManagedByKeyVault');
});
await step('what_is_not_there_is_not_found', async () => {
  const name = `none-${unique()}`;
  await refused(secrets.getSecret(name), 404, 'SecretNotFound');
  await refused(secrets.beginDeleteSecret(name, poll), 404, 'SecretNotFound');
  await refused(secrets.getDeletedSecret(name), 404, 'SecretNotFound');
  await refused(secrets.backupSecret(name), 404, 'SecretNotFound');
  await refused(secrets.updateSecretProperties(name, '0'.repeat(32), {}), 404, 'SecretNotFound');
  equal((await all(secrets.listPropertiesOfSecretVersions(name))).length, 0, 'versions');
});
await step('bad_requests_say_what_is_wrong', async () => {
  const headers = await bearer();
  const put = (path, body) => raw(client.vaultUrl, { method: 'PUT', path, headers, body });
  const cases = [
    [await put('/secrets/x-1?api-version=7.4', '{'), /./],
    [await put('/secrets/x-1?api-version=7.4', '{}'), /Property 'value' is required/],
    [await put('/secrets/x-1?api-version=7.4', '{"value":7}'), /value/],
    [await put('/secrets/x-1?api-version=7.4', '{"value":"x","attributes":{"exp":-1}}'), /exp/],
    [await put('/secrets/x-1', '{"value":"x"}'), /api-version/],
    [await put('/secrets/x_1?api-version=7.4', '{"value":"x"}'), /A secret's name has 1 to 127/],
    [await raw(client.vaultUrl, { path: '/secrets/x-1/1234?api-version=7.4', headers }), /A secret's version has 32/],
    [await raw(client.vaultUrl, { path: '/secrets?api-version=7.4&maxresults=26', headers }), /./],
  ];
  for (const [i, [answer, message]] of cases.entries()) {
    equal(answer.status, 400, `case ${i}: ${answer.body.slice(0, 100)}`);
    must(message.test(JSON.parse(answer.body).error.message), `case ${i} says why: ${answer.body.slice(0, 200)}`);
  }
  equal((await raw(client.vaultUrl, { path: '/secrets/x?api-version=7.4' })).status, 401, 'without a token');
});
await step('what_was_done_is_in_the_audit_log', async () => {
  const name = `audit-${unique()}`;
  const { properties } = await secrets.setSecret(name, 'never-in-the-log');
  await secrets.getSecret(name);
  await secrets.updateSecretProperties(name, properties.version, { enabled: false });
  await refused(secrets.getSecret(name), 403);
  const log = installation.run(['audit', 'show', '--limit', '100000', '--format', 'json']).stdout;
  must(!log.includes('never-in-the-log'), 'no value in it');
  const found = log.split('\n').filter((line) => line.includes(`secrets/${name}`)).join('\n');
  for (const word of ['SecretSet', 'SecretGet', 'SecretUpdate', 'SecretDisabled', properties.version]) must(found.includes(word), `${word} is recorded`);
});
await step('the_command_line_keeps_reads_and_deletes', async () => {
  const name = `line-${unique()}`;
  const run = (words, input) => {
    const result = spawnSync(installation.binary, ['secret', ...words, '--state', installation.state], { input, encoding: 'utf8' });
    return { status: result.status, stdout: result.stdout, stderr: result.stderr };
  };
  equal(run(['set', name, '--content-type', 'text/plain'], 'typed välue\n').status, 0, 'set');
  equal((await secrets.getSecret(name)).value, 'typed välue', 'what the SDK reads');
  const file = path.join(os.tmpdir(), name);
  fs.writeFileSync(file, 'line one\nline two\n');
  equal(run(['set', name, '--file', file]).status, 0, 'set from a file');
  fs.rmSync(file);
  equal(run(['get', name]).stdout, 'line one\nline two\n', 'a file comes back exactly');
  must(run(['list']).stdout.includes(name), 'listed');
  must(run(['list', '--format', 'json']).stdout.includes(`/secrets/${name}`), 'listed as JSON');
  must(run(['delete', name]).stdout.includes('can be recovered until'), 'deleted');
  equal(run(['get', name]).status, 1, 'not found');
  must(run(['list', '--deleted']).stdout.includes(name), 'among the deleted');
  equal(run(['recover', name]).status, 0, 'recovered');
  equal(run(['delete', name, '--purge']).status, 0, 'purged');
  await refused(secrets.getDeletedSecret(name), 404, 'SecretNotFound');
  const wrong = run(['set', name], Buffer.from([0xff, 0xfe]));
  must(wrong.status !== 0 && wrong.stderr.includes('UTF-8'), `bytes are refused: ${wrong.stderr}`);
  must(run(['set', name], 'x'.repeat(25601)).stderr.includes('25600 bytes'), 'what is too long is refused');
});
finish();

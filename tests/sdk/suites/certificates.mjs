// The certificates API of Key Vault, by Azure's unmodified SDKs: every operation, with the linked keys and secrets; what the vault
// makes is read by openssl and Node.js, and the other way round.
import { spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { CertificateClient } from '@azure/keyvault-certificates';
import { CryptographyClient } from '@azure/keyvault-keys';
import { SecretClient } from '@azure/keyvault-secrets';
import { suite, step, finish, must, equal, refused, installation, credential, keyClient, raw, sleep, unique } from '../steps.mjs';
import { words } from '../canary.mjs';
import { Installation } from '../installation.mjs';

suite('certificates');
const { client } = installation;
const cred = credential();
const options = { disableChallengeResourceVerification: true, retryOptions: { maxRetries: 0 } };
const certificates = new CertificateClient(client.vaultUrl, cred, options);
const secrets = new SecretClient(client.vaultUrl, cred, options);
const keys = keyClient(cred);
const poll = { intervalInMs: 20 };
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-certificates-'));
const bearer = async () => ({ authorization: `Bearer ${(await cred.getToken('https://vault.azure.net/.default')).token}`, 'content-type': 'application/json' });
const all = async (list) => { const items = []; for await (const item of list) items.push(item); return items; };
const inner = (error) => error.details?.error?.innerError?.code;

/** Runs openssl in the folder; gives its output. */
function openssl(words_, input) {
  const result = spawnSync('openssl', words_, { cwd: folder, input });
  if (result.status !== 0) throw new Error(`openssl ${words_.join(' ')}: ${result.stderr}`);
  return result.stdout;
}
const write = (name, bytes) => { fs.writeFileSync(path.join(folder, name), bytes); return name; };
const pem = (der) => `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64').match(/.{1,64}/g).join('\n')}\n-----END CERTIFICATE-----\n`;
const create = async (name, policy, extra) => (await certificates.beginCreateCertificate(name, policy, { ...poll, ...extra })).pollUntilDone();
const remove = async (name) => { await (await certificates.beginDeleteCertificate(name, poll)).pollUntilDone(); await certificates.purgeDeletedCertificate(name); };
/** The certificate, chain and key that a secret holds, as openssl reads them. */
function unpack(secret) {
  if (secret.properties.contentType === 'application/x-pem-file') return secret.value;
  write('in.pfx', Buffer.from(secret.value, 'base64'));
  return openssl(['pkcs12', '-in', 'in.pfx', '-passin', 'pass:', '-nodes']).toString();
}
/** The operation as a poller saw it last; its public state leaves it out. */
const stateOf = (poller) => poller.operation.state.certificateOperation;
const policy = (more = {}) => ({ issuerName: 'Self', subject: 'CN=suite', validityInMonths: 12, ...more });

for (const [name, more] of [['rsa_2048', { keyType: 'RSA', keySize: 2048 }], ['rsa_3072', { keyType: 'RSA', keySize: 3072 }], ['ec_P-256', { keyType: 'EC', keyCurveName: 'P-256' }],
  ['ec_P-384', { keyType: 'EC', keyCurveName: 'P-384' }], ['ec_P-521', { keyType: 'EC', keyCurveName: 'P-521' }], ['ec_P-256K', { keyType: 'EC', keyCurveName: 'P-256K' }]]) {
  await step(`self_signed_${name}_with_its_key_and_secret`, async () => {
    const id = `${words.key}-cert-${unique()}`;
    const made = await create(id, policy({ ...more, subject: `CN=${words.tag}, O="Acme, Inc.", C=DE`, subjectAlternativeNames: { dnsNames: ['a.example', '*.b.example'], emails: ['c@example'], userPrincipalNames: ['d@example'] },
      keyUsage: ['digitalSignature', 'keyAgreement'], enhancedKeyUsage: ['1.3.6.1.5.5.7.3.1'] }), { tags: { [words.tag]: words.tag } });
    const x509 = new crypto.X509Certificate(made.cer);
    must(x509.verify(x509.publicKey) && x509.checkHost('x.b.example') && x509.checkEmail('c@example'), 'signed by itself for its names');
    must(x509.subject.includes('O=Acme\\, Inc.') && x509.subject.includes(`CN=${words.tag}`), `subject ${x509.subject}`);
    equal(Buffer.from(made.properties.x509Thumbprint).toString('hex').toUpperCase(), x509.fingerprint.replaceAll(':', ''), 'x5t');
    equal(made.properties.expiresOn.getTime(), new Date(x509.validTo).getTime(), 'exp');
    equal(made.properties.tags[words.tag], words.tag, 'tags');
    must(made.keyId.endsWith(`/keys/${id}/${made.properties.version}`) && made.secretId.endsWith(`/secrets/${id}/${made.properties.version}`), 'kid and sid');
    write('self.pem', pem(made.cer));
    must(openssl(['verify', '-CAfile', 'self.pem', '-x509_strict', 'self.pem']).includes('OK'), 'openssl verifies it');
    must(/othername:.*d@example|UPN|<unsupported>/.test(openssl(['x509', '-in', 'self.pem', '-noout', '-ext', 'subjectAltName']).toString()), 'UPN');

    const key = await keys.getKey(id);
    equal(key.properties.managed, true, 'the key is managed');
    const digest = crypto.createHash('sha256').update('data').digest();
    const alg = { 'P-256': 'ES256', 'P-256K': 'ES256K' }[more.keyCurveName] ?? (more.keyType === 'RSA' ? 'RS256' : undefined);
    if (alg) {
      const { result } = await new CryptographyClient(key.id, cred, options).sign(alg, digest);
      must(crypto.verify('sha256', Buffer.from('data'), { key: x509.publicKey, dsaEncoding: 'ieee-p1363' }, result), 'the key signs for the certificate');
    }
    const secret = await secrets.getSecret(id);
    equal(secret.properties.contentType, 'application/x-pkcs12', 'content type');
    equal(secret.properties.version, made.properties.version, 'the versions are one');
    const text = unpack(secret);
    const privateKey = crypto.createPrivateKey(text.slice(text.indexOf('-----BEGIN PRIVATE KEY')));
    must(crypto.createPublicKey(privateKey).equals(x509.publicKey), 'the PFX holds the private key');
  });
}
await step('pem_and_keys_that_do_not_leave', async () => {
  const id = `pem-${unique()}`;
  await create(id, policy({ contentType: 'application/x-pem-file' }));
  const value = (await secrets.getSecret(id)).value;
  must(value.startsWith('-----BEGIN PRIVATE KEY-----') && value.includes('-----BEGIN CERTIFICATE-----'), 'PEM with the key');
  await create(id, policy({ contentType: 'application/x-pem-file', exportable: false }));
  must(!(await secrets.getSecret(id)).value.includes('PRIVATE'), 'no private key');
  const pfx = `stays-${unique()}`;
  await create(pfx, policy({ exportable: false }));
  must(!unpack(await secrets.getSecret(pfx)).includes('PRIVATE'), 'no private key in the PFX');
});
await step('reused_and_new_keys', async () => {
  const id = `reuse-${unique()}`;
  const spki = (made) => new crypto.X509Certificate(made.cer).publicKey.export({ type: 'spki', format: 'der' }).toString('hex');
  const first = await create(id, policy({ reuseKey: true }));
  const second = await create(id, policy({ reuseKey: true }));
  equal(spki(first), spki(second), 'the key');
  must(first.properties.version !== second.properties.version, 'a new version');
  must(spki(await create(id, policy({ reuseKey: false }))) !== spki(second), 'a new key');
});
await step('internal_ca_signs_and_is_fetched', async () => {
  const id = `ca-${unique()}`;
  const made = await create(id, policy({ issuerName: 'Strongroom', subject: 'CN=server.example', subjectAlternativeNames: { dnsNames: ['server.example'] } }));
  const answer = JSON.parse((await raw(client.vaultUrl, { path: '/certificates/issuers/Strongroom?api-version=7.4', headers: await bearer() })).body);
  equal(answer.provider, 'Strongroom', 'provider');
  write('ca.pem', pem(Buffer.from(answer.x5c[0], 'base64')));
  write('leaf.pem', pem(made.cer));
  must(openssl(['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', 'ca.pem', 'leaf.pem']).includes('OK'), 'the chain holds');
  equal(installation.run(['certificate', 'ca']).stdout, fs.readFileSync(path.join(folder, 'ca.pem'), 'utf8'), 'the command line gives the same CA');
  const ca = fs.readFileSync(path.join(folder, 'ca.pem'));
  const text = unpack(await secrets.getSecret(id));
  equal(text.match(/BEGIN CERTIFICATE/g).length, 2, 'certificate and CA');
  // A real TLS server with it.
  const server = tls.createServer({ pfx: Buffer.from((await secrets.getSecret(id)).value, 'base64'), passphrase: '' }, (socket) => socket.end('hello'));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const said = await new Promise((resolve, reject) => {
    const socket = tls.connect({ port: server.address().port, host: '127.0.0.1', servername: 'server.example', ca }, () => socket.on('data', (data) => resolve(String(data))));
    socket.once('error', reject);
  });
  server.close();
  equal(said, 'hello', 'through TLS');
  // Inside, that CA opens no door: the services trust another one.
  const issuer = new crypto.X509Certificate(fs.readFileSync(client.caFile));
  must(issuer.fingerprint256 !== new crypto.X509Certificate(ca).fingerprint256, 'another CA than the services trust');
});
await step('csr_for_an_outside_ca_and_merge', async () => {
  const id = `csr-${unique()}`;
  const poller = await certificates.beginCreateCertificate(id, policy({ issuerName: 'Unknown', subject: 'CN=merged.example,O=Ä', subjectAlternativeNames: { dnsNames: ['merged.example'] } }), { ...poll, tags: { a: 'b' } });
  const operation = stateOf(poller);
  equal(operation.status, 'inProgress', 'status');
  write('request.der', operation.csr);
  must(openssl(['req', '-inform', 'der', '-in', 'request.der', '-verify', '-noout', '-text']).toString().includes('DNS:merged.example'), 'the request');
  await refused(keys.getKey(id), 404, 'KeyNotFound');
  must((await certificates.getCertificate(id)).properties.enabled === false, 'a certificate that waits is not enabled');
  must((await all(certificates.listPropertiesOfCertificates({ includePending: true }))).some((item) => item.name === id), 'listed where asked for');
  must(!(await all(certificates.listPropertiesOfCertificates())).some((item) => item.name === id), 'not listed otherwise');
  equal((await refused(certificates.beginCreateCertificate(id, policy(), poll), 409, 'Conflict')).details.error.innerError.code, 'PendingOperationExists', 'while one waits');
  openssl(['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=Outside CA', '-days', '30', '-keyout', 'outside.key', '-out', 'outside.pem']);
  openssl(['x509', '-req', '-inform', 'der', '-in', 'request.der', '-CA', 'outside.pem', '-CAkey', 'outside.key', '-CAcreateserial', '-days', '20', '-copy_extensions', 'copyall', '-out', 'signed.pem']);
  const der = (name) => new crypto.X509Certificate(fs.readFileSync(path.join(folder, name))).raw;
  await refused(certificates.mergeCertificate(id, [der('outside.pem')]), 400, 'BadParameter');
  const merged = await certificates.mergeCertificate(id, [der('signed.pem'), der('outside.pem')]);
  equal(merged.properties.tags.a, 'b', 'tags of the creation');
  const text = unpack(await secrets.getSecret(id));
  equal(text.match(/BEGIN CERTIFICATE/g).length, 2, 'the chain is in the secret');
  must(crypto.createPublicKey(crypto.createPrivateKey(text.slice(text.indexOf('-----BEGIN PRIVATE KEY')))).equals(new crypto.X509Certificate(merged.cer).publicKey), 'the key');
  equal(stateOf(await certificates.getCertificateOperation(id, poll)).status, 'completed', 'the operation is over');
  await refused(certificates.mergeCertificate(id, [der('signed.pem')]), 400, 'BadParameter');
});
await step('pending_operations_are_cancelled_and_removed', async () => {
  const id = `cancel-${unique()}`;
  const poller = await certificates.beginCreateCertificate(id, policy({ issuerName: 'Unknown' }), poll);
  await poller.cancelOperation();
  const state = stateOf(poller);
  must(state.cancellationRequested && state.status === 'cancelled', 'cancelled');
  await certificates.deleteCertificateOperation(id);
  await refused(certificates.getCertificate(id), 404, 'CertificateNotFound');
  await refused(certificates.deleteCertificateOperation(id), 404, 'PendingCertificateNotFound');
  await create(id, policy());
});
await step('import_of_pfx_and_pem', async () => {
  for (const [kind, newkey] of [['rsa', ['rsa:3072']], ['ec', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384']]]) {
    openssl(['req', '-x509', '-newkey', ...newkey, '-nodes', '-subj', `/O=${words.tag}/CN=${kind}`, '-addext', 'subjectAltName=DNS:imported.example', '-days', '100', '-keyout', 'own.key', '-out', 'own.pem']);
    openssl(['pkcs12', '-export', '-inkey', 'own.key', '-in', 'own.pem', '-passout', `pass:${words.content}`, '-out', 'own.pfx']);
    openssl(['pkcs8', '-topk8', '-in', 'own.key', '-passout', 'pass:secret', '-out', 'own.enc']);
    const want = new crypto.X509Certificate(fs.readFileSync(path.join(folder, 'own.pem'))).fingerprint;
    const pfx = fs.readFileSync(path.join(folder, 'own.pfx'));
    const id = `import-${kind}-${unique()}`;
    const made = await certificates.importCertificate(id, pfx, { password: words.content, tags: { a: 'b' } });
    equal(new crypto.X509Certificate(made.cer).fingerprint, want, 'the certificate');
    equal(made.policy.issuerName, 'Unknown', 'issuer');
    equal(made.policy.keyType, kind.toUpperCase(), 'key type');
    equal(made.policy.subjectAlternativeNames.dnsNames[0], 'imported.example', 'names');
    must(unpack(await secrets.getSecret(id)).includes('PRIVATE KEY'), 'the key is given out');
    await refused(certificates.importCertificate(id, pfx, { password: 'wrong' }), 400, 'BadParameter');
    const text = Buffer.concat([fs.readFileSync(path.join(folder, 'own.pem')), fs.readFileSync(path.join(folder, 'own.key'))]);
    const second = await certificates.importCertificate(id, text, { policy: { contentType: 'application/x-pem-file' } });
    must(second.properties.version !== made.properties.version, 'a new version');
    equal((await secrets.getSecret(id)).properties.contentType, 'application/x-pem-file', 'PEM stays PEM');
    const locked = Buffer.concat([fs.readFileSync(path.join(folder, 'own.enc')), fs.readFileSync(path.join(folder, 'own.pem'))]);
    await certificates.importCertificate(`${id}-locked`, locked, { password: 'secret', policy: { contentType: 'application/x-pem-file' } });
    await refused(certificates.importCertificate(id, fs.readFileSync(path.join(folder, 'own.pem')), { policy: { contentType: 'application/x-pem-file' } }), 400, 'BadParameter');
  }
});
await step('versions_updates_and_policy', async () => {
  const id = `versions-${unique()}`;
  const first = await create(id, policy());
  const second = await create(id, policy({ lifetimeActions: [{ action: 'AutoRenew', daysBeforeExpiry: 20 }] }));
  const versions = await all(certificates.listPropertiesOfCertificateVersions(id));
  equal(versions.map((version) => version.version).sort().join(), [first, second].map((made) => made.properties.version).sort().join(), 'versions');
  equal(Buffer.compare(Buffer.from((await certificates.getCertificateVersion(id, first.properties.version)).cer), Buffer.from(first.cer)), 0, 'by version');
  const updated = await certificates.updateCertificateProperties(id, first.properties.version, { enabled: false, tags: { x: 'y' } });
  must(!updated.properties.enabled && updated.properties.tags.x === 'y', 'updated');
  equal((await keys.getKey(id, { version: first.properties.version })).properties.enabled, false, 'its key too');
  equal(inner(await refused(secrets.getSecret(id, { version: first.properties.version }), 403)), 'SecretDisabled', 'its secret too');
  await certificates.updateCertificateProperties(id, first.properties.version, { enabled: true });
  await secrets.getSecret(id, { version: first.properties.version });
  const standing = await certificates.getCertificatePolicy(id);
  equal(standing.lifetimeActions[0].daysBeforeExpiry, 20, 'days');
  await certificates.updateCertificatePolicy(id, { ...standing, subject: 'CN=other', lifetimeActions: [{ action: 'EmailContacts', lifetimePercentage: 50 }] });
  const changed = await certificates.getCertificatePolicy(id);
  equal(changed.subject, 'CN=other', 'subject');
  equal(changed.lifetimeActions[0].lifetimePercentage, 50, 'percentage');
  equal(new crypto.X509Certificate((await create(id, changed)).cer).subject, 'CN=other', 'the next version follows');
});
await step('managed_keys_and_secrets_do_not_change_by_themselves', async () => {
  const id = `managed-${unique()}`;
  await create(id, policy());
  equal(inner(await refused(keys.beginDeleteKey(id, poll), 403)), 'KeyManagedByKeyVault', 'delete');
  equal(inner(await refused(keys.updateKeyProperties(id, { enabled: false }), 403)), 'KeyManagedByKeyVault', 'update');
  equal(inner(await refused(keys.rotateKey(id), 403)), 'KeyManagedByKeyVault', 'rotate');
  equal(inner(await refused(keys.backupKey(id), 403)), 'KeyManagedByKeyVault', 'backup');
  equal(inner(await refused(keys.createRsaKey(id), 409)), 'ObjectIsManaged', 'create');
  await refused(secrets.setSecret(id, 'x'), undefined);
  await refused(secrets.beginDeleteSecret(id, poll), 403);
  must((await all(secrets.listPropertiesOfSecrets())).find((item) => item.name === id).managed, 'listed as managed');
  const own = `own-${unique()}`;
  await keys.createRsaKey(own);
  equal(inner(await refused(certificates.beginCreateCertificate(own, policy(), poll), 409)), 'ObjectIsManaged', 'a key of its own has the name');
  await refused(certificates.getCertificate(own), 404, 'CertificateNotFound');
  const account = installation.run(['account', 'create', `acct${unique()}`, '--key', id], { allowFailure: true });
  must(account.status !== 0 && /belongs to a certificate/.test(account.stderr), 'data is not put under it');
});
await step('soft_delete_recover_and_purge_all_three', async () => {
  const id = `del-${unique()}`;
  await create(id, policy());
  const deleted = await (await certificates.beginDeleteCertificate(id, poll)).pollUntilDone();
  must(deleted.recoveryId.endsWith(`/deletedcertificates/${id}`) && deleted.scheduledPurgeDate > deleted.deletedOn, 'recovery');
  for (const gone of [() => certificates.getCertificate(id), () => keys.getKey(id), () => secrets.getSecret(id)]) await refused(gone, 404);
  equal(inner(await refused(certificates.beginCreateCertificate(id, policy(), poll), 409, 'Conflict')), 'ObjectIsDeletedButRecoverable', 'blocked');
  equal(inner(await refused(keys.purgeDeletedKey(id), 403)), 'KeyManagedByKeyVault', 'the key goes with it alone');
  must((await all(certificates.listDeletedCertificates())).some((item) => item.name === id), 'listed');
  await (await certificates.beginRecoverDeletedCertificate(id, poll)).pollUntilDone();
  await certificates.getCertificate(id);
  await keys.getKey(id);
  await secrets.getSecret(id);
  await remove(id);
  for (const gone of [() => certificates.getDeletedCertificate(id), () => keys.getDeletedKey(id), () => secrets.getDeletedSecret(id)]) await refused(gone, 404);
  await create(id, policy());
});
await step('backup_and_restore', async () => {
  const id = `backup-${unique()}`;
  const first = await create(id, policy({ exportable: false }));
  await create(id, policy({ exportable: true, contentType: 'application/x-pem-file' }));
  const before = await Promise.all([first.properties.version, undefined].map(async (version) => (await secrets.getSecret(id, { version })).value));
  const backup = await certificates.backupCertificate(id);
  equal(inner(await refused(certificates.restoreCertificateBackup(backup), 409, 'Conflict')), 'CertificateAlreadyExists', 'never overwrites');
  await remove(id);
  await certificates.restoreCertificateBackup(backup);
  const after = await Promise.all([first.properties.version, undefined].map(async (version) => (await secrets.getSecret(id, { version })).value));
  equal(JSON.stringify(after), JSON.stringify(before), 'secrets');
  const digest = crypto.createHash('sha256').update('data').digest();
  const { result } = await new CryptographyClient((await keys.getKey(id, { version: first.properties.version })).id, cred, options).sign('RS256', digest);
  must(crypto.verify('sha256', Buffer.from('data'), new crypto.X509Certificate(first.cer).publicKey, result), 'keys');
  backup[backup.length - 1] ^= 1;
  await refused(certificates.restoreCertificateBackup(backup), 400, 'BadParameter');
});
await step('contacts', async () => {
  await refused(certificates.getContacts(), 404, 'ContactsNotFound');
  await certificates.setContacts([{ email: 'a@example', name: words.tag, phone: '1' }, { email: 'b@example' }]);
  equal((await certificates.getContacts()).map((contact) => contact.email).join(), 'a@example,b@example', 'contacts');
  await certificates.deleteContacts();
  await refused(certificates.getContacts(), 404);
});
await step('issuers', async () => {
  const id = `issuer-${unique()}`;
  await certificates.createIssuer(id, 'Test', { accountId: 'me', password: words.content, organizationId: 'org', administratorContacts: [{ firstName: 'A', lastName: 'B', email: 'c@example', phone: '2' }] });
  const got = await certificates.getIssuer(id);
  must(got.provider === 'Test' && got.accountId === 'me' && got.administratorContacts[0].email === 'c@example', 'issuer');
  const text = (await raw(client.vaultUrl, { path: `/certificates/issuers/${id}?api-version=7.4`, headers: await bearer() })).body;
  must(!text.includes(words.content), 'the password is not given out');
  equal((await certificates.updateIssuer(id, { accountId: 'you', enabled: true })).accountId, 'you', 'updated');
  must((await all(certificates.listPropertiesOfIssuers())).some((item) => item.id.endsWith(`/issuers/${id}`) && item.provider === 'Test'), 'listed');
  const name = `by-${unique()}`;
  const poller = await certificates.beginCreateCertificate(name, policy({ issuerName: id }), poll);
  equal(stateOf(poller).status, 'inProgress', 'its CA is asked by hand');
  await certificates.deleteIssuer(id);
  await refused(certificates.getIssuer(id), 404);
  await refused(certificates.beginCreateCertificate(`no-${unique()}`, policy({ issuerName: id }), poll), 400, 'BadParameter');
  await refused(certificates.createIssuer('Strongroom', 'Mine'), 400, 'BadParameter');
});
await step('lists_page_by_25', async () => {
  for (let i = 0; i < 27; i++) await create(`many-${String(i).padStart(2, '0')}-${unique()}`, policy({ keyType: 'EC', keyCurveName: 'P-256' }));
  const names = new Set();
  let pages = 0;
  for await (const page of certificates.listPropertiesOfCertificates({ includePending: true }).byPage()) {
    pages++;
    must(page.length <= 25, 'at most 25 a page');
    for (const item of page) { must(!names.has(item.name), 'no name twice'); names.add(item.name); }
  }
  must(names.size >= 27 && pages >= 2, 'all, in pages');
});
await step('bad_requests_are_bad_parameters', async () => {
  const headers = await bearer();
  const post = (where, body) => raw(client.vaultUrl, { method: 'POST', path: `/certificates/${where}?api-version=7.4`, headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
  const with_ = (more) => ({ policy: { issuer: { name: 'Self' }, x509_props: { subject: 'CN=x' }, ...more } });
  const cases = [
    ['x/create', '{', ''], ['x/create', {}, 'policy'], ['x/create', { policy: {} }, 'issuer'], ['x/create', { policy: { issuer: { name: 'Self' } } }, 'subject'],
    ['x/create', with_({ x509_props: { subject: 'nonsense' } }), 'subject'], ['x/create', with_({ x509_props: { subject: 'CN="x' } }), 'quote'], ['x/create', with_({ x509_props: { subject: 'XX=x' } }), 'XX'],
    ['x/create', with_({ x509_props: { subject: 'C=Germany' } }), 'Germany'], ['x/create', with_({ x509_props: { subject: 'CN=x', validity_months: 0 } }), 'validity_months'],
    ['x/create', with_({ x509_props: { subject: 'CN=x', validity_months: 9999 } }), 'validity_months'], ['x/create', with_({ x509_props: { subject: 'CN=x', ekus: ['one'] } }), 'ekus'],
    ['x/create', with_({ x509_props: { subject: 'CN=x', key_usage: ['all'] } }), 'key_usage'], ['x/create', with_({ x509_props: { subject: 'CN=x', sans: { dns_names: ['a b'] } } }), 'dns_names'],
    ['x/create', with_({ key_props: { kty: 'oct' } }), 'kty'], ['x/create', with_({ key_props: { kty: 'RSA', key_size: 1024 } }), 'key_size'], ['x/create', with_({ secret_props: { contentType: 'text/plain' } }), 'contentType'],
    ['x/create', with_({ lifetime_actions: [{ trigger: { lifetime_percentage: 100 }, action: { action_type: 'AutoRenew' } }] }), 'lifetime_percentage'],
    ['x/create', with_({ lifetime_actions: [{ trigger: {}, action: { action_type: 'AutoRenew' } }] }), 'trigger'],
    ['x/create', { policy: { issuer: { name: 'Unknown' }, x509_props: { subject: 'CN=x' }, lifetime_actions: [{ trigger: { days_before_expiry: 5 }, action: { action_type: 'AutoRenew' } }] } }, 'AutoRenew'],
    ['x/create', { policy: { issuer: { name: 'Strongroom' }, x509_props: { subject: 'CN=x', key_usage: ['keyCertSign'] } } }, 'keyCertSign'],
    ['x/import', {}, 'value'], ['x/import', { value: 'AAAA' }, 'PKCS#12'], ['x/import', { value: '***' }, 'ase64'], ['x/import', { value: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }, 'certificate'],
  ];
  for (const [i, [where, body, word]] of cases.entries()) {
    const answer = await post(where, body);
    equal(answer.status, 400, `case ${i}: ${answer.body.slice(0, 200)}`);
    must(JSON.parse(answer.body).error.code === 'BadParameter' && JSON.parse(answer.body).error.message.includes(word), `case ${i} says why: ${answer.body}`);
  }
  await refused(certificates.getCertificate('x'), 404, 'CertificateNotFound');
});
/** What a TLS connection shows: the peer's certificate, and a way to ask again over the same connection. */
function connect(port, more = {}) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', port, ALPNProtocols: ['http/1.1'], ...more }, () => resolve({
      fingerprint: socket.getPeerCertificate().fingerprint.replaceAll(':', '').toLowerCase(),
      ask: () => new Promise((answered, failed) => {
        socket.once('data', (data) => answered(Number(String(data).split(' ')[1])));
        socket.once('close', () => failed(new Error('the connection was closed')));
        socket.write('GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
      }),
      end: () => socket.destroy(),
    }));
    socket.once('error', reject);
  });
}
for (const [service, port] of [['vault', 'vault-port'], ['identity', 'identity-port'], ['blob', 'blob-port']]) await step(`the_certificate_of_${service}_renews_without_a_dropped_connection`, async () => {
  const thumbprint = () => installation.json(['certificate', 'show', service, '--vault', 'strongroom']).x5t;
  const hex = (x5t) => Buffer.from(x5t, 'base64url').toString('hex');
  const before = thumbprint();
  const open = await connect(installation.ports[port]);
  equal(open.fingerprint, hex(before), 'the vault shows what the service shows');
  must(await open.ask() > 0, 'an answer');
  const renewed = installation.json(['certificate', 'renew', service]);
  must(renewed.thumbprint !== hex(before) && renewed.thumbprint === hex(thumbprint()), 'another certificate is shown');
  let next;
  for (let i = 0; i < 100; i++) {
    next = await connect(installation.ports[port]);
    next.end();
    if (next.fingerprint === renewed.thumbprint) break;
    await sleep(20);
  }
  equal(next.fingerprint, renewed.thumbprint, 'new connections get it');
  must(await open.ask() > 0, 'the open connection goes on');
  open.end();
  must(installation.json(['certificate', 'list', '--vault', 'strongroom']).some((item) => item.id.endsWith(`/certificates/${service}`)), 'listed');
  must(installation.run(['certificate', 'show', service, '--vault', 'strongroom']).stdout.includes(renewed.thumbprint), 'history');
  must(installation.run(['audit', 'show', '--limit', '10000', '--format', 'json']).stdout.includes(`strongroom/certificates/${service}/${renewed.version}`), 'audited');
  write('service.pem', installation.run(['certificate', 'show', service, '--vault', 'strongroom', '--pem']).stdout);
  must(openssl(['verify', '-CAfile', client.caFile, 'service.pem']).includes('OK'), 'of the CA that clients trust');
});
await step('the_system_vault_is_only_read', async () => {
  const host = `strongroom.vault.localhost:${installation.ports['vault-port']}`;
  const headers = { ...await bearer(), host };
  const answer = await raw(client.vaultUrl, { path: '/certificates/blob?api-version=7.4', headers });
  equal(answer.status, 200, 'read');
  must(!JSON.parse(answer.body).sid, 'no private key is anywhere');
  const body = JSON.stringify({ policy: { issuer: { name: 'Self' }, x509_props: { subject: 'CN=x' } } });
  const made = await raw(client.vaultUrl, { method: 'POST', path: '/certificates/blob/create?api-version=7.4', headers, body });
  equal(made.status, 403, 'written');
  equal(JSON.parse(made.body).error.innererror.code, 'ForbiddenByPolicy', 'code');
  must(installation.run(['certificate', 'delete', 'blob', '--yes', '--vault', 'strongroom'], { allowFailure: true }).status !== 0, 'not by the command line either');
  must(installation.run(['vault', 'delete', 'strongroom', '--yes'], { allowFailure: true }).status !== 0, 'nor as a whole');
  must(installation.run(['certificate', 'renew', 'nobody', '--vault', 'strongroom'], { allowFailure: true }).stderr.includes('no service'), 'who is not there');
});
await step('the_command_line_makes_imports_and_merges', async () => {
  const id = `cli-${unique()}`;
  must(installation.run(['certificate', 'create', id, '--subject', 'CN=cli', '--dns', 'a.example,b.example', '--issuer', 'Strongroom', '--curve', 'P-384']).stdout.includes(`/certificates/${id}/`), 'made');
  const first = installation.json(['certificate', 'show', id]);
  equal(first.policy.x509_props.sans.dns_names.join(), 'a.example,b.example', 'names');
  installation.run(['certificate', 'renew', id]);
  must(installation.json(['certificate', 'show', id]).id !== first.id, 'renewed');
  write('cli.csr', installation.run(['certificate', 'create', `${id}-csr`, '--issuer', 'Unknown', '--subject', 'CN=csr']).stdout);
  openssl(['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=CA', '-days', '5', '-keyout', 'ca.key', '-out', 'ca.crt']);
  openssl(['x509', '-req', '-in', 'cli.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '5', '-out', 'cli.crt']);
  equal(installation.run(['certificate', 'request', `${id}-csr`]).stdout, fs.readFileSync(path.join(folder, 'cli.csr'), 'utf8'), 'the request again');
  installation.run(['certificate', 'merge', `${id}-csr`, '--file', path.join(folder, 'cli.crt')]);
  openssl(['pkcs12', '-export', '-inkey', 'ca.key', '-in', 'ca.crt', '-passout', 'pass:word', '-out', 'cli.pfx']);
  write('password', 'word\n');
  installation.run(['certificate', 'import', `${id}-pfx`, '--file', path.join(folder, 'cli.pfx'), '--password-file', path.join(folder, 'password')]);
  must(installation.run(['certificate', 'list']).stdout.includes(`${id}-pfx`), 'listed');
  installation.run(['certificate', 'delete', id, '--yes']);
  installation.run(['certificate', 'recover', id]);
});
const python = ['/usr/bin/python3', 'python3'].find((one) => spawnSync(one, ['-c', 'import azure.keyvault.certificates']).status === 0);
if (!python) console.log('skip sdk.certificates.python_sdk (no azure.keyvault.certificates for Python here)');
else await step('python_sdk_creates_imports_deletes_and_recovers', async () => {
  const { token } = await cred.getToken('https://vault.azure.net/.default');
  write('client.py', `
import base64, os, sys, time
from azure.core.credentials import AccessToken
from azure.keyvault.certificates import AdministratorContact, CertificateClient, CertificateContact, CertificatePolicy, LifetimeAction
from azure.keyvault.secrets import SecretClient
class Credential:
    def get_token(self, *scopes, **options):
        return AccessToken(os.environ["TOKEN"], int(time.time()) + 600)
client = CertificateClient(os.environ["VAULT"], Credential(), verify_challenge_resource=False)
secrets = SecretClient(os.environ["VAULT"], Credential(), verify_challenge_resource=False)
name = "python-" + os.environ["UNIQUE"]
policy = CertificatePolicy(issuer_name="Self", subject="CN=python", san_dns_names=["a.example"], key_type="EC", key_curve_name="P-256", exportable=True, validity_in_months=3,
                           lifetime_actions=[LifetimeAction(action="AutoRenew", days_before_expiry=10)])
made = client.begin_create_certificate(name, policy, tags={"a": "b"}).result()
assert made.name == name and made.properties.tags == {"a": "b"} and made.policy.san_dns_names == ["a.example"], made
pfx = base64.b64decode(secrets.get_secret(name).value)
assert client.import_certificate(name + "-copy", pfx).cer == made.cer, "imported"
assert name in [item.name for item in client.list_properties_of_certificates()], "listed"
assert len(list(client.list_properties_of_certificate_versions(name))) == 1, "versions"
assert not client.update_certificate_properties(name, enabled=False).properties.enabled
client.update_certificate_properties(name, enabled=True)
changed = client.get_certificate_policy(name)
changed._validity_in_months = 5
assert client.update_certificate_policy(name, changed).validity_in_months == 5, "policy"
client.begin_create_certificate(name + "-csr", CertificatePolicy(issuer_name="Unknown", subject="CN=csr")).result()
waiting = client.get_certificate_operation(name + "-csr")
assert waiting.status == "inProgress" and waiting.csr, waiting
assert client.cancel_certificate_operation(name + "-csr").status == "cancelled"
client.delete_certificate_operation(name + "-csr")
backup = client.backup_certificate(name)
client.begin_delete_certificate(name).result()
client.begin_recover_deleted_certificate(name).result()
client.begin_delete_certificate(name).result()
client.purge_deleted_certificate(name)
assert client.restore_certificate_backup(backup).cer == made.cer, "restored"
issuer = client.create_issuer(name, provider="Test", account_id="me", password="word", admin_contacts=[AdministratorContact(email="c@example")])
assert issuer.provider == "Test" and client.get_issuer(name).account_id == "me", issuer
assert name in [item.name for item in client.list_properties_of_issuers()], "issuers"
client.delete_issuer(name)
client.set_contacts([CertificateContact(email="p@example")])
assert client.get_contacts()[0].email == "p@example"
client.delete_contacts()
`);
  const result = spawnSync(python, [path.join(folder, 'client.py')], { encoding: 'utf8', env: { ...process.env, TOKEN: token, VAULT: client.vaultUrl, UNIQUE: unique(), REQUESTS_CA_BUNDLE: client.caFile, SSL_CERT_FILE: client.caFile } });
  if (result.status !== 0) throw new Error(result.stderr.slice(-500));
});
await step('a_certificate_of_a_vault_is_shown_to_clients_and_followed', async () => {
  const own = new Installation(installation.binary, { settings: { 'public-certificate': 'default/public' } });
  const ports = ['vault-port', 'identity-port', 'blob-port'];
  try {
    await own.init();
    await own.serve();
    const shown = async () => {
      const seen = [];
      for (const port of ports) {
        const socket = await connect(own.ports[port], { rejectUnauthorized: false });
        seen.push(socket.fingerprint);
        socket.end();
      }
      return seen;
    };
    const thumbprint = (name, vault) => Buffer.from(own.json(['certificate', 'show', name, '--vault', vault]).x5t, 'base64url').toString('hex');
    const until = async (wanted, what) => {
      let seen;
      for (let i = 0; i < 200; i++) {
        seen = await shown();
        if (seen.every((fingerprint, k) => wanted(fingerprint, k))) return;
        await sleep(20);
      }
      throw new Error(`${what}: ${seen}`);
    };
    const names = ['vault', 'identity', 'blob'];
    await until((fingerprint, k) => fingerprint === thumbprint(names[k], 'strongroom'), 'without it the internal CA\'s are shown');
    own.run(['certificate', 'create', 'public', '--issuer', 'Strongroom', '--subject', 'CN=localhost', '--dns', 'localhost']);
    const first = thumbprint('public', 'default');
    await until((fingerprint) => fingerprint === first, 'once it is there it is shown');
    const ca = own.run(['certificate', 'ca']).stdout;
    const open = await connect(own.ports['blob-port'], { ca, servername: 'localhost' });
    must(await open.ask() > 0, 'clients trust the CA of the vault');
    own.run(['certificate', 'renew', 'public']);
    const second = thumbprint('public', 'default');
    must(second !== first, 'renewed');
    await until((fingerprint) => fingerprint === second, 'it is followed');
    must(await open.ask() > 0, 'the open connection goes on');
    open.end();
    equal(own.run(['status']).status, 0, 'the services reach one another');
    own.run(['certificate', 'delete', 'public', '--yes']);
    await until((fingerprint, k) => fingerprint === thumbprint(names[k], 'strongroom'), 'without it again');
    own.run(['certificate', 'recover', 'public']);
    await until((fingerprint) => fingerprint === second, 'and back');
    must(own.run(['audit', 'show', '--limit', '10000', '--format', 'json']).stdout.includes('PublicCertificateShow'), 'audited');
  } finally {
    await own.stop();
    own.remove();
  }
});
fs.rmSync(folder, { recursive: true, force: true });
finish();

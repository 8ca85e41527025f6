// The command az as Debian has it, unmodified: the cloud registered, a service principal signed in, groups, providers, vaults and their contents,
// identities and the directory. Its configuration is in a folder of its own. (`az role` and `az keyvault secret|key|certificate` of Debian's package
// lack modules of their own: what they would do is asked through `az rest`.)
import { spawn, spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import dns from 'node:dns/promises';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { suite, step, finish, must, equal, installation, unique } from '../steps.mjs';

suite('az');
const { client, ports } = installation;
if (spawnSync('az', ['--version'], { stdio: 'ignore' }).error) {
  console.log(`skip ${process.env.STRONGROOM_SUITE ?? 'sdk'}.az (there is no az)`);
  process.exit(0);
}
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-az-'));
const env = { ...process.env, AZURE_CONFIG_DIR: folder, HOME: folder, REQUESTS_CA_BUNDLE: client.caFile, AZURE_CORE_COLLECT_TELEMETRY: 'no', AZURE_CORE_ONLY_SHOW_ERRORS: 'yes', AZURE_CORE_OUTPUT: 'json' };
/** Runs az; gives its output, parsed. */
function az(...words) {
  return new Promise((resolve, reject) => {
    const child = spawn('az', words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const out = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => { out[name] += text; });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) return resolve(out.stdout.trim() ? JSON.parse(out.stdout) : undefined);
      return reject(new Error(`az ${words.slice(0, 3).join(' ')}: ${out.stderr.slice(0, 400)}`));
    });
  });
}
const fails = async (what, ...words) => {
  const error = await az(...words).then(() => { throw new Error(`az ${words.join(' ')} should have been refused`); }, (caught) => caught);
  must(error.message.includes(what), `${what} in: ${error.message}`);
};
const subscription = `/subscriptions/${client.subscription}`;
const manager = `https://127.0.0.1:${ports['workspace-port']}`;
const group = `az-${unique()}`;
const vault = `v${unique()}`;
const sp = `sp-${unique()}`;

await step('cloud_register_and_login', async () => {
  const identity = `${client.authority}/`;
  fs.writeFileSync(path.join(folder, 'cloud.json'), JSON.stringify({ name: 'strongroom', isActive: false, suffixes: { keyvaultDns: '.vault.localhost' }, endpoints: { activeDirectory: `${client.authority}/adfs`,
    activeDirectoryResourceId: 'https://management.azure.com/', activeDirectoryGraphResourceId: identity, microsoftGraphResourceId: identity, management: `${manager}/`, resourceManager: `${manager}/` } }));
  await az('cloud', 'register', '-n', 'strongroom', '--cloud-config', `@${path.join(folder, 'cloud.json')}`);
  await az('cloud', 'set', '-n', 'strongroom');
  const [account] = await az('login', '--service-principal', '-u', client.clientId, '-p', client.clientSecret, '-t', client.tenant);
  equal(`${account.id} ${account.tenantId}`, `${client.subscription} ${client.tenant}`, 'account');
});
await step('account', async () => {
  const [shown, listed, token] = await Promise.all([az('account', 'show'), az('account', 'list'), az('account', 'get-access-token')]);
  equal(`${shown.user.name} ${listed.length} ${token.subscription}`, `${client.clientId} 1 ${client.subscription}`, 'account');
  equal(JSON.parse(Buffer.from(token.accessToken.split('.')[1], 'base64url')).oid, client.objectId, 'whose token');
});
await step('groups_and_providers', async () => {
  equal((await az('group', 'create', '-n', group, '-l', 'westeurope', '--tags', 'a=b')).tags.a, 'b', 'group');
  const [there, provider] = await Promise.all([az('group', 'exists', '-n', group), az('provider', 'register', '-n', 'Microsoft.ManagedIdentity').then(() => az('provider', 'show', '-n', 'Microsoft.ManagedIdentity')),
    fails('ResourceGroupNotFound', 'group', 'show', '-n', 'none')]);
  equal(`${there} ${provider.registrationState}`, 'true Registered', 'there and registered');
  must((await az('provider', 'list', '--query', '[].namespace')).includes('Microsoft.KeyVault'), 'listed');
});
await step('a_vault_with_policies_and_rules', async () => {
  const made = await az('keyvault', 'create', '-n', vault, '-g', group, '-l', 'westeurope', '--retention-days', '7'); // its provider is registered by az
  equal(made.properties.accessPolicies[0].objectId, client.objectId, 'az found the caller in Graph');
  const other = crypto.randomUUID();
  equal((await az('keyvault', 'set-policy', '-n', vault, '--object-id', other, '--secret-permissions', 'get', 'list')).properties.accessPolicies.length, 2, 'set-policy');
  equal((await az('keyvault', 'delete-policy', '-n', vault, '--object-id', other)).properties.accessPolicies.length, 1, 'delete-policy');
  equal((await az('keyvault', 'network-rule', 'add', '-n', vault, '--ip-address', '127.0.0.0/8')).properties.networkAcls.ipRules[0].value, '127.0.0.0/8', 'network-rule');
  equal((await az('keyvault', 'update', '-n', vault, '-g', group, '--set', 'tags.x=y')).tags.x, 'y', 'update');
  const [shown, listed] = await Promise.all([az('keyvault', 'show', '-n', vault), az('keyvault', 'list', '-g', group)]);
  equal(`${shown.properties.vaultUri} ${listed[0].name}`, `https://${vault}.vault.localhost:${ports['vault-port']}/ ${vault}`, 'shown');
}, 60);
const isNamed = await dns.lookup(`${vault}.vault.localhost`).then(() => true, () => false);
if (!isNamed) console.log(`skip ${process.env.STRONGROOM_SUITE ?? 'sdk'}.az.rest_keeps_things_in_the_vault (*.vault.localhost leads nowhere here: libnss-myhostname)`);
else await step('rest_keeps_things_in_the_vault', async () => {
  const at = (target) => `https://${vault}.vault.localhost:${ports['vault-port']}/${target}?api-version=7.4`;
  const rest = (method, target, body) => az('rest', '--resource', 'https://vault.azure.net', '--method', method, '--url', at(target), ...(body ? ['--body', JSON.stringify(body)] : []));
  const kept = await rest('put', 'secrets/word', { value: 'rumpelstiltskin' });
  must(kept.id.startsWith(`https://${vault}.vault.localhost`), 'its id');
  const [secret, key, pending] = await Promise.all([rest('get', 'secrets/word'), rest('post', 'keys/lock/create', { kty: 'EC', crv: 'P-256' }),
    rest('post', 'certificates/door/create', { policy: { issuer: { name: 'Self' }, x509_props: { subject: 'CN=door' } } })]);
  equal(`${secret.value} ${key.key.crv}`, 'rumpelstiltskin P-256', 'secret and key');
  must(['inProgress', 'completed'].includes(pending.status), 'certificate');
});
await step('roles_through_rest', async () => {
  const url = `${manager}${subscription}/resourceGroups/${group}/providers/Microsoft.Authorization/roleAssignments`;
  const id = `${url}/${crypto.randomUUID()}?api-version=2022-04-01`;
  const role = `${subscription}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7`;
  const made = await az('rest', '--method', 'put', '--url', id, '--body', JSON.stringify({ properties: { principalId: client.objectId, roleDefinitionId: role } }));
  equal(made.properties.principalId, client.objectId, 'given');
  equal((await az('rest', '--method', 'get', '--url', `${url}?api-version=2022-04-01&$filter=atScope()`)).value.some(({ name }) => name === made.name), true, 'listed');
  await az('role', 'assignment', 'delete', '--ids', made.id);
});
await step('identities', async () => {
  const made = await az('identity', 'create', '-n', 'worker', '-g', group);
  const [shown, listed, principal] = await Promise.all([az('identity', 'show', '-n', 'worker', '-g', group), az('identity', 'list', '-g', group), az('ad', 'sp', 'show', '--id', made.principalId)]);
  equal(`${shown.clientId} ${listed[0].name} ${principal.servicePrincipalType}`, `${made.clientId} worker ManagedIdentity`, 'shown');
  await az('identity', 'delete', '-n', 'worker', '-g', group);
});
await step('service_principals', async () => {
  const made = await az('ad', 'sp', 'create-for-rbac', '-n', sp);
  const [shown, listed, app] = await Promise.all([az('ad', 'sp', 'show', '--id', made.appId), az('ad', 'sp', 'list', '--display-name', sp), az('ad', 'app', 'show', '--id', made.appId)]);
  equal(`${shown.displayName} ${listed.length} ${app.passwordCredentials.length}`, `${sp} 1 1`, 'shown');
  const again = await az('ad', 'sp', 'create-for-rbac', '-n', sp);
  must(again.appId === made.appId && again.password !== made.password, 'the same with another password');
  await az('ad', 'sp', 'delete', '--id', made.appId);
});
await step('a_vault_is_deleted_recovered_and_purged', async () => {
  await az('keyvault', 'delete', '-n', vault, '-g', group);
  must((await az('keyvault', 'list-deleted', '--query', '[].name')).includes(vault), 'listed');
  equal((await az('keyvault', 'recover', '-n', vault, '-g', group, '-l', 'westeurope')).tags.x, 'y', 'recovered as it was');
  await az('keyvault', 'delete', '-n', vault, '-g', group);
  await az('keyvault', 'purge', '-n', vault, '-l', 'westeurope');
}, 60);
await step('a_group_is_deleted_with_what_is_in_it', async () => {
  await az('keyvault', 'create', '-n', `${vault}r`, '-g', group, '-l', 'westeurope', '--enable-rbac-authorization', 'true');
  await az('group', 'delete', '-n', group, '--yes');
  equal(await az('group', 'exists', '-n', group), false, 'gone');
});
fs.rmSync(folder, { recursive: true, force: true });
finish();

// Vaults as resources, through the resource manager's front with Azure's own management SDK: made, listed, changed, deleted, recovered, purged, each
// in the caller's name; and what the SDK makes of refusals.
import { KeyVaultManagementClient } from '@azure/arm-keyvault';
import { suite, step, finish, must, equal, refused, installation, credential, raw, unique } from '../steps.mjs';

suite('vaults');
const { client, ports } = installation;
const origin = `https://127.0.0.1:${ports['workspace-port']}`;
const scope = 'https://management.azure.com/.default';
const group = `rg-${unique()}`;
const manager = new KeyVaultManagementClient(credential(), client.subscription, { endpoint: origin, credentialScopes: [scope], retryOptions: { maxRetries: 0 } });
const basics = { tenantId: client.tenant, sku: { family: 'A', name: 'standard' } };
const policy = (permissions) => ({ tenantId: client.tenant, objectId: client.objectId, permissions });
const put = (name, properties = {}, more = {}) => manager.vaults.beginCreateOrUpdateAndWait(group, name, { location: 'local', properties: { ...basics, ...properties }, ...more });
const name = `v-${unique()}`;
const all = async (pages) => { const names = []; for await (const item of pages) names.push(item.name); return names; };

await step('group_and_provider', async () => {
  const headers = { authorization: `Bearer ${(await credential().getToken(scope)).token}`, 'content-type': 'application/json' };
  const made = await raw(origin, { method: 'PUT', path: `/subscriptions/${client.subscription}/resourcegroups/${group}?api-version=2022-09-01`, headers, body: '{"location":"local"}' });
  equal(made.status, 201, made.body);
  const registered = await raw(origin, { method: 'POST', path: `/subscriptions/${client.subscription}/providers/Microsoft.KeyVault/register?api-version=2022-09-01`, headers });
  equal(registered.status, 200, registered.body);
});
await step('create_get_and_list', async () => {
  const made = await put(name, { accessPolicies: [policy({ keys: ['get', 'WrapKey'], secrets: ['all'] })], softDeleteRetentionInDays: 7,
    networkAcls: { defaultAction: 'Deny', bypass: 'AzureServices', ipRules: [{ value: '127.0.0.1' }, { value: 'fd00::/8' }] } }, { tags: { a: 'b' } });
  equal(made.id, `/subscriptions/${client.subscription}/resourceGroups/${group}/providers/Microsoft.KeyVault/vaults/${name}`, 'id');
  equal(made.properties.vaultUri, `https://${name}.vault.localhost:${ports['vault-port']}/`, 'vaultUri');
  equal(made.properties.provisioningState, 'Succeeded', 'state');
  equal(JSON.stringify(made.properties.accessPolicies[0].permissions.keys), '["wrapKey","get"]', 'permissions in Azure\'s letters');
  equal(made.properties.networkAcls.ipRules.map(({ value }) => value).join(), '127.0.0.1/32,fd00::/8', 'rules');
  equal(made.systemData.createdBy, client.objectId, 'who made it');
  const got = await manager.vaults.get(group, name);
  equal(`${got.tags.a} ${got.properties.softDeleteRetentionInDays} ${got.properties.enableRbacAuthorization}`, 'b 7 false', 'as it was made');
  equal((await all(manager.vaults.listByResourceGroup(group))).join(), name, 'in the group');
  must((await all(manager.vaults.listBySubscription({ top: 1 }))).includes(name), 'in the subscription, page by page');
  equal((await manager.vaults.checkNameAvailability({ name, type: 'Microsoft.KeyVault/vaults' })).reason, 'AlreadyExists', 'its name');
});
await step('update_and_policies', async () => {
  const updated = await manager.vaults.update(group, name, { tags: { c: 'd' }, properties: { publicNetworkAccess: 'Disabled' } });
  equal(`${updated.tags.c} ${updated.properties.publicNetworkAccess} ${updated.properties.networkAcls.defaultAction}`, 'd Disabled Deny', 'what was named');
  const change = async (kind, permissions) => (await manager.vaults.updateAccessPolicy(group, name, kind, { properties: { accessPolicies: [policy(permissions)] } })).properties.accessPolicies;
  equal((await change('add', { keys: ['sign'] }))[0].permissions.keys.length, 3, 'added');
  equal((await change('replace', { keys: ['list'] }))[0].permissions.keys.join(), 'list', 'replaced');
  equal((await change('remove', { keys: ['list'] })).length, 0, 'removed');
});
await step('what_never_changes_is_refused', async () => {
  for (const properties of [{ enablePurgeProtection: false }, { enableSoftDelete: false }, { softDeleteRetentionInDays: 90 }]) {
    await refused(manager.vaults.update(group, name, { properties }), 400, 'BadRequest');
  }
  await refused(put('1-bad', { accessPolicies: [] }), 400, 'VaultNameNotValid');
  await refused(manager.vaults.get(group, 'none'), 404, 'ResourceNotFound');
});
await step('delete_recover_and_purge', async () => {
  await manager.vaults.delete(group, name);
  await refused(manager.vaults.get(group, name), 404, 'ResourceNotFound');
  must((await all(manager.vaults.listDeleted())).includes(name), 'listed');
  const deleted = await manager.vaults.getDeleted(name, 'local');
  equal(deleted.properties.scheduledPurgeDate - deleted.properties.deletionDate, 7 * 86400e3, 'retention');
  await refused(put(name, { accessPolicies: [] }), 409, 'ConflictError');
  equal((await put(name, { createMode: 'recover' })).tags.c, 'd', 'recovered as it was');
  await manager.vaults.delete(group, name);
  await manager.vaults.beginPurgeDeletedAndWait(name, 'local');
  await refused(manager.vaults.getDeleted(name, 'local'), 404, 'DeletedVaultNotFound');
  const kept = `k-${unique()}`;
  await put(kept, { enableRbacAuthorization: true, enablePurgeProtection: true });
  await manager.vaults.delete(group, kept);
  await refused(manager.vaults.beginPurgeDeletedAndWait(kept, 'local'), 405, 'MethodNotAllowed');
});
await step('management_is_audited_in_the_callers_name', async () => {
  const entries = installation.run(['audit', 'show', '--limit', '10000']).stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  for (const operation of ['VaultPut', 'VaultGet', 'VaultPatch', 'VaultAccessPolicies', 'VaultDelete', 'VaultPurge']) {
    must(entries.some((entry) => entry.operation === operation && entry.who.oid === client.objectId && entry.who.service === 'workspace' && entry.request), operation);
  }
  must(entries.some((entry) => entry.operation === 'VaultPurge' && entry.outcome === 'MethodNotAllowed' && entry.status === 405), 'a refusal');
});
await step('who_may_not_manage_vaults_is_refused_by_the_front', async () => {
  const other = installation.json(['principal', 'create', `p-${unique()}`, '--role', 'Key Vault Administrator']);
  const theirs = new KeyVaultManagementClient(credential({ clientId: other.clientId, secret: other.secret }), client.subscription, { endpoint: origin, credentialScopes: [scope], retryOptions: { maxRetries: 0 } });
  await refused(theirs.vaults.beginCreateOrUpdateAndWait(group, `n-${unique()}`, { location: 'local', properties: { ...basics, accessPolicies: [] } }), 403, 'AuthorizationFailed');
});
finish();

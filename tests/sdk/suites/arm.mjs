// Resource Manager's front with Azure's own management SDKs: groups, providers, resources, role assignments and definitions at any scope, managed
// identities; what is refused to whom; and Microsoft Graph's face, which az and Graph's clients look people up by.
import { AuthorizationManagementClient } from '@azure/arm-authorization';
import { KeyVaultManagementClient } from '@azure/arm-keyvault';
import { ManagedServiceIdentityClient } from '@azure/arm-msi';
import { ResourceManagementClient } from '@azure/arm-resources';
import crypto from 'node:crypto';
import { suite, step, finish, must, equal, refused, installation, credential, raw, sleep, unique } from '../steps.mjs';

suite('arm');
const { client, ports } = installation;
const origin = `https://127.0.0.1:${ports['workspace-port']}`;
const audience = 'https://management.azure.com/.default';
const subscription = `/subscriptions/${client.subscription}`;
const options = { endpoint: origin, credentialScopes: [audience], retryOptions: { maxRetries: 0 } };
const clientsOf = (cred) => ({
  resources: new ResourceManagementClient(cred, client.subscription, options), vaults: new KeyVaultManagementClient(cred, client.subscription, options),
  roles: new AuthorizationManagementClient(cred, client.subscription, options), identities: new ManagedServiceIdentityClient(cred, client.subscription, options) });
const { resources, vaults, roles, identities } = clientsOf(credential());
const group = `arm-${unique()}`;
const groupId = `${subscription}/resourceGroups/${group}`;
const all = async (pages) => { const items = []; for await (const item of pages) items.push(item); return items; };
const definitionId = (role) => `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`;
const reader = 'acdd72a7-3385-48ef-bd42-f606fba81ae7';
const owner = '8e3af657-a8ff-443c-a75c-2fe8c4bcb635';
const clerk = installation.json(['principal', 'create', `clerk-${unique()}`]);
const clerkCredential = credential({ clientId: clerk.clientId, secret: clerk.secret });
/** What a client of its own makes of a request: status, headers, parsed body. */
async function call(method, path, { body, cred = credential(), scope = audience, at = origin, headers = {} } = {}) {
  const token = (await cred.getToken(scope)).token;
  const text = body && JSON.stringify(body);
  const answer = await raw(at, { method, path, body: text, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers } });
  return { ...answer, json: answer.body ? JSON.parse(answer.body) : undefined };
}
/** Rights follow the directory within moments; waits for that. */
const soon = async (work) => { for (let i = 0; ; i++) { try { return await work(); } catch (error) { if (i === 50) throw error; await sleep(50); } } };

await step('groups_and_their_tags', async () => {
  const made = await resources.resourceGroups.createOrUpdate(group, { location: 'West Europe', tags: { a: 'b' } });
  equal(`${made.id} ${made.location} ${made.properties.provisioningState}`, `${groupId} westeurope Succeeded`, 'made');
  equal((await resources.resourceGroups.update(group, { tags: { c: 'd' } })).tags.c, 'd', 'tags');
  equal((await resources.resourceGroups.checkExistence(group)).body, true, 'there');
  equal((await resources.resourceGroups.checkExistence('none')).body, false, 'not there');
  must((await all(resources.resourceGroups.list())).some(({ name }) => name === group), 'listed');
  await refused(resources.resourceGroups.createOrUpdate(group, { location: 'eastus' }), 409, 'InvalidResourceGroupLocation');
  await refused(resources.resourceGroups.get('none'), 404, 'ResourceGroupNotFound');
});
await step('providers_are_registered', async () => {
  for (const name of ['Microsoft.KeyVault', 'Microsoft.ManagedIdentity']) {
    equal((await resources.providers.register(name)).registrationState, 'Registered', name);
  }
  equal((await resources.providers.get('microsoft.keyvault')).namespace, 'Microsoft.KeyVault', 'in any case');
  must((await all(resources.providers.list())).some(({ namespace }) => namespace === 'Microsoft.Authorization'), 'listed');
  await refused(resources.providers.get('Microsoft.None'), 404, 'InvalidResourceNamespace');
});
await step('identities_and_the_lists_of_resources', async () => {
  const made = await identities.userAssignedIdentities.createOrUpdate(group, 'worker', { location: 'westeurope', tags: { x: 'y' } });
  equal(`${made.id} ${made.tenantId}`, `${groupId}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/worker ${client.tenant}`, 'id');
  equal((await identities.userAssignedIdentities.createOrUpdate(group, 'worker', { location: 'westeurope' })).principalId, made.principalId, 'the same again');
  equal((await identities.userAssignedIdentities.update(group, 'worker', { tags: { z: '1' } })).tags.z, '1', 'tags');
  equal((await all(identities.userAssignedIdentities.listByResourceGroup(group))).map(({ name }) => name).join(), 'worker', 'of the group');
  await vaults.vaults.beginCreateOrUpdateAndWait(group, `v${unique()}`, { location: 'westeurope', properties: { tenantId: client.tenant, sku: { family: 'A', name: 'standard' }, enableRbacAuthorization: true, accessPolicies: [] } });
  equal((await all(resources.resources.listByResourceGroup(group))).map(({ type }) => type).sort().join(), 'Microsoft.KeyVault/vaults,Microsoft.ManagedIdentity/userAssignedIdentities', 'all');
  equal((await all(resources.resources.list({ filter: "resourceType eq 'Microsoft.ManagedIdentity/userAssignedIdentities' and name eq 'worker'" }))).length >= 1, true, 'by type');
  equal((await call('HEAD', `${made.id}?api-version=2023-01-31`)).status, 204, 'is there');
  equal((await call('HEAD', `${groupId}/providers/Microsoft.KeyVault/vaults/none?api-version=2023-07-01`)).status, 404, 'is not there');
  await refused(all(resources.resources.list({ filter: 'substringof(name)' })), 400, 'InvalidFilterInQueryString');
  await refused(identities.userAssignedIdentities.get(group, 'none'), 404, 'ResourceNotFound');
  await refused(identities.userAssignedIdentities.createOrUpdate('none', 'worker', { location: 'westeurope' }), 404, 'ResourceGroupNotFound');
});
await step('a_role_is_given_shown_and_taken_back', async () => {
  const name = crypto.randomUUID();
  const parameters = { principalId: clerk.objectId, roleDefinitionId: definitionId(reader), principalType: 'ServicePrincipal', description: 'reads' };
  const mine = clientsOf(clerkCredential);
  await refused(mine.resources.resourceGroups.get(group), 403, 'AuthorizationFailed');
  const made = await roles.roleAssignments.create(groupId, name, parameters);
  equal(`${made.id} ${made.principalType} ${made.createdBy} ${made.description}`, `${groupId}/providers/Microsoft.Authorization/roleAssignments/${name} ServicePrincipal ${client.objectId} reads`, 'made');
  equal((await soon(() => mine.resources.resourceGroups.get(group))).name, group, 'allowed');
  await refused(mine.resources.resourceGroups.update(group, { tags: {} }), 403, 'AuthorizationFailed');
  equal((await roles.roleAssignments.create(groupId, name, parameters)).name, name, 'again');
  await refused(roles.roleAssignments.create(groupId, crypto.randomUUID(), parameters), 409, 'RoleAssignmentExists');
  await refused(roles.roleAssignments.create(groupId, name, { ...parameters, roleDefinitionId: definitionId(owner) }), 409, 'RoleAssignmentUpdateNotPermitted');
  await refused(roles.roleAssignments.create(groupId, crypto.randomUUID(), { ...parameters, principalId: crypto.randomUUID() }), 400, 'PrincipalNotFound');
  const named = async (scope, filter) => (await all(roles.roleAssignments.listForScope(scope, { filter }))).map((item) => item.name);
  must((await named(subscription)).includes(name), 'from above');
  must(!(await named(subscription, 'atScope()')).includes(name), 'not at the subscription');
  must((await named(`${groupId}/providers/Microsoft.KeyVault/vaults/x`, 'atScope()')).includes(name), 'below');
  equal((await named(groupId, `principalId eq '${clerk.objectId}'`)).join(), name, 'by principal');
  equal((await named(groupId, `atScope() and assignedTo('${clerk.objectId}')`)).join(), name, 'by who has it');
  equal((await mine.roles.permissions.listForResourceGroup ? (await all(mine.roles.permissions.listForResourceGroup(group)))[0].actions.join() : '*/read'), '*/read', 'what one may');
  await refused(mine.roles.roleAssignments.create(groupId, crypto.randomUUID(), { ...parameters, roleDefinitionId: definitionId(owner) }), 403, 'AuthorizationFailed');
  await refused(mine.roles.roleAssignments.delete(groupId, name), 403, 'AuthorizationFailed');
  equal((await roles.roleAssignments.deleteById(made.id)).name, name, 'taken back');
  await soon(() => refused(mine.resources.resourceGroups.get(group), 403, 'AuthorizationFailed'));
  await refused(roles.roleAssignments.get(groupId, name), 404, 'RoleAssignmentNotFound');
});
await step('who_may_give_only_some_roles_gives_no_other', async () => {
  const [giver] = await all(roles.roleDefinitions.list(subscription, { filter: "roleName eq 'Key Vault Data Access Administrator'" }));
  const [vaultReader] = await all(roles.roleDefinitions.list(subscription, { filter: "roleName eq 'Key Vault Reader'" }));
  const name = crypto.randomUUID();
  const give = (roleDefinitionId) => clientsOf(clerkCredential).roles.roleAssignments.create(groupId, crypto.randomUUID(), { principalId: clerk.objectId, roleDefinitionId });
  await roles.roleAssignments.create(groupId, name, { principalId: clerk.objectId, roleDefinitionId: giver.id });
  const given = await soon(() => give(vaultReader.id));
  await refused(give(owner), 403, 'AuthorizationFailed');
  await refused(give(giver.id), 403, 'AuthorizationFailed');
  await roles.roleAssignments.deleteById(given.id);
  await roles.roleAssignments.delete(groupId, name);
});
await step('a_role_of_ones_own', async () => {
  const id = crypto.randomUUID();
  const roleName = `Tag writer ${unique()}`;
  const role = { roleName, description: 'writes', permissions: [{ actions: ['Microsoft.Resources/subscriptions/resourceGroups/write'], notActions: [] }], assignableScopes: [groupId] };
  const made = await roles.roleDefinitions.createOrUpdate(groupId, id, role);
  equal(`${made.name} ${made.roleName} ${made.roleType} ${made.assignableScopes}`, `${id} ${roleName} CustomRole ${groupId}`, 'made');
  equal((await all(roles.roleDefinitions.list(groupId, { filter: `roleName eq '${roleName}'` }))).length, 1, 'listed');
  equal((await roles.roleDefinitions.get(groupId, reader)).roleName, 'Reader', 'a built-in one');
  equal((await roles.roleDefinitions.createOrUpdate(groupId, id, { ...role, description: 'changed' })).description, 'changed', 'changed');
  const assigned = await roles.roleAssignments.create(groupId, crypto.randomUUID(), { principalId: clerk.objectId, roleDefinitionId: made.id });
  await refused(roles.roleDefinitions.delete(groupId, id), 409, 'RoleDefinitionHasAssignments');
  await roles.roleAssignments.deleteById(assigned.id);
  const sly = await call('PUT', `${groupId}/providers/Microsoft.Authorization/roleDefinitions/${crypto.randomUUID()}?api-version=2022-04-01`, { body: { properties: { ...role, roleName: `Sly ${unique()}`, assignableScopes: undefined, AssignableScopes: [subscription] } } });
  equal(sly.status, 400, `scopes by a name that is not checked: ${sly.body}`);
  await refused(clientsOf(clerkCredential).roles.roleDefinitions.createOrUpdate(groupId, id, role), 403, 'AuthorizationFailed');
  equal((await roles.roleDefinitions.delete(groupId, id)).name, id, 'deleted');
  await refused(roles.roleDefinitions.get(groupId, id), 404, 'RoleDefinitionDoesNotExist');
});
await step('scopes_of_every_kind', async () => {
  for (const scope of ['/', subscription, groupId, `${groupId}/providers/Microsoft.KeyVault/vaults/v`, `/providers/Microsoft.Management/managementGroups/${client.tenant}`]) {
    const path = `${scope === '/' ? '' : scope}/providers/Microsoft.Authorization/roleAssignments`;
    const name = crypto.randomUUID();
    const made = await call('PUT', `${path}/${name}?api-version=2022-04-01`, { body: { properties: { principalId: clerk.objectId, roleDefinitionId: definitionId(reader) } } });
    equal(made.status, 201, `${scope}: ${made.body}`);
    equal(made.json.properties.scope, scope, 'scope');
    must((await call('GET', `${path}?api-version=2022-04-01&$filter=atScope()`)).json.value.some((item) => item.name === name), `listed at ${scope}`);
    equal((await call('DELETE', `${path}/${name}?api-version=2022-04-01`)).status, 200, 'deleted');
    equal((await call('DELETE', `${path}/${name}?api-version=2022-04-01`)).status, 204, 'gone');
  }
  equal((await call('GET', `/subscriptions/${crypto.randomUUID()}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01`)).json.error.code, 'SubscriptionNotFound', 'another subscription');
  equal((await call('GET', `${subscription}/providers/Microsoft.Authorization/denyAssignments?api-version=2022-04-01`)).status, 200, 'deny assignments');
});
await step('errors_and_headers', async () => {
  const correlation = crypto.randomUUID();
  const path = `${subscription}/resourcegroups/${group}`;
  const got = await call('GET', `${path}?api-version=2022-09-01`, { headers: { 'x-ms-correlation-request-id': correlation } });
  equal(got.headers['x-ms-correlation-request-id'], correlation, 'correlation id');
  must(got.headers['x-ms-request-id'], 'request id');
  for (const [method, target, status, code] of [['GET', path, 400, 'MissingApiVersionParameter'], ['GET', `${path}?api-version=new`, 400, 'InvalidApiVersionParameter'],
    ['POST', `${path}?api-version=2022-09-01`, 405, 'MethodNotAllowed'], ['GET', '/none?api-version=2022-09-01', 404, 'ResourceNotFound']]) {
    const answer = await call(method, target);
    equal(`${answer.status} ${answer.json.error.code}`, `${status} ${code}`, target);
  }
  const anonymous = await raw(origin, { path: `${path}?api-version=2022-09-01` });
  equal(anonymous.status, 401, 'without a token');
  must(anonymous.headers['www-authenticate'].includes(`authorization_uri="${client.authority}/${client.tenant}"`), 'where to get one');
});
await step('graph_shows_the_directory_to_who_may_and_oneself_to_all', async () => {
  const graph = (path, more) => call('GET', `/v1.0/${path}`, { at: client.authority, scope: 'https://graph.microsoft.com/.default', ...more });
  const byName = (id) => `servicePrincipals?$filter=servicePrincipalNames/any(c:c%20eq%20'${id}')`;
  equal((await graph(byName(client.clientId))).json.value[0].id, client.objectId, 'oneself');
  equal((await graph(byName(clerk.clientId))).json.value[0].id, clerk.objectId, 'another');
  equal((await graph('servicePrincipals?$filter=startswith(displayName,%27worker%27)')).json.value[0].servicePrincipalType, 'ManagedIdentity', 'a managed identity');
  equal((await graph('me')).status, 400, 'an application is nobody');
  equal((await graph('servicePrincipals?$filter=displayName%20ne%20%27x%27')).json.error.code, 'Request_UnsupportedQuery', 'a filter that is not known');
  equal((await graph(`servicePrincipals/${crypto.randomUUID()}`)).json.error.code, 'Request_ResourceNotFound', 'nobody');
  const byIds = await call('POST', '/v1.0/directoryObjects/getByIds', { at: client.authority, scope: `${client.authority}/.default`, body: { ids: [clerk.objectId, crypto.randomUUID()] } });
  equal(byIds.json.value.map((item) => item['@odata.type']).join(), '#microsoft.graph.servicePrincipal', 'by ids');
  const cred = clerkCredential;
  equal((await graph(byName(clerk.clientId), { cred })).json.value.length, 1, 'oneself without a role');
  equal((await graph(byName(client.clientId), { cred })).json.value.length, 0, 'nobody else');
  equal((await graph(`servicePrincipals/${client.objectId}`, { cred })).status, 403, 'refused');
  const recorded = installation.run(['audit', 'show', '--service', 'identity', '--who', clerk.objectId]).stdout;
  for (const said of ['DirectoryList', 'DirectoryGet', `v1.0/servicePrincipals/${client.objectId}`, 'Authorization_RequestDenied']) must(recorded.includes(said), `${said} in ${recorded.slice(-1500)}`);
  equal((await raw(client.authority, { path: '/v1.0/users' })).status, 401, 'without a token');
  equal((await graph('users', { scope: audience })).status, 401, 'a token for another audience');
});
await step('graph_makes_applications_only_for_who_may_assign_roles_everywhere', async () => {
  const graph = (method, path, body, more) => call(method, `/v1.0/${path}`, { at: client.authority, scope: 'https://graph.microsoft.com/.default', body, ...more });
  const displayName = `app-${unique()}`;
  equal((await graph('POST', 'applications', { displayName }, { cred: clerkCredential })).status, 403, 'refused');
  equal((await graph('POST', `applications/${client.objectId}/addPassword`, {}, { cred: clerkCredential })).status, 403, 'nor a secret for another');
  const app = (await graph('POST', 'applications', { displayName })).json;
  const secret = (await graph('POST', `applications/${app.id}/addPassword`, { passwordCredential: { displayName: 'one' } })).json;
  equal((await graph('POST', 'servicePrincipals', { appId: app.appId })).json.id, app.id, 'its service principal');
  must((await credential({ clientId: app.appId, secret: secret.secretText }).getToken(audience)).token, 'it signs in');
  equal((await graph('POST', `applications/${app.id}/removePassword`, { keyId: secret.keyId })).status, 204, 'removed');
  await refused(() => credential({ clientId: app.appId, secret: secret.secretText }).getToken(audience));
  equal((await graph('DELETE', `applications/${app.id}`)).status, 204, 'deleted');
});
await step('groups_from_the_command_line', async () => {
  const name = `cli-${unique()}`;
  equal(installation.json(['group', 'create', name, '--location', 'West Europe']).location, 'westeurope', 'made');
  must(installation.json(['group', 'list']).some?.((item) => item.name === name) ?? installation.run(['group', 'list']).stdout.includes(name), 'listed');
  must(installation.run(['group', 'delete', name], { allowFailure: true }).status !== 0, 'asks first');
  installation.run(['group', 'delete', name, '--yes']);
  equal((await resources.resourceGroups.checkExistence(name)).body, false, 'gone');
});
await step('what_was_changed_and_refused_is_on_record', async () => {
  const entries = installation.run(['audit', 'show', '--service', 'workspace', '--limit', '500']).stdout.trim().split('\n').map((line) => JSON.parse(line));
  const made = entries.find(({ operation, object }) => operation === 'Microsoft.Authorization/roleAssignments/write' && object.startsWith(groupId));
  equal(`${made.who.oid} ${made.status}`, `${client.objectId} 201`, 'who and how it went');
  must(entries.some(({ who, outcome, operation }) => who.oid === clerk.objectId && outcome === 'AuthorizationFailed' && operation === 'Microsoft.Authorization/roleAssignments/write'), 'a refusal');
  installation.run(['audit', 'verify', '--service', 'workspace']);
  must(!JSON.stringify(entries).includes(clerk.secret), 'no secret');
});
await step('a_deleted_group_takes_what_is_in_it', async () => {
  await resources.resourceGroups.beginDeleteAndWait(group, { updateIntervalInMs: 100 });
  equal((await resources.resourceGroups.checkExistence(group)).body, false, 'gone');
  must(!(await all(identities.userAssignedIdentities.listBySubscription())).some(({ id }) => id.startsWith(groupId)), 'its identities');
  must(!(await all(vaults.vaults.listBySubscription())).some(({ id }) => id.startsWith(groupId)), 'its vaults');
});
installation.run(['principal', 'delete', clerk.clientId], { allowFailure: true });
finish();

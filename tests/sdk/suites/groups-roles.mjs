// Groups, roles of one's own, scopes from management group to a single secret, and denials: each as a client feels it.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { SecretClient } from '@azure/keyvault-secrets';
import { words } from '../canary.mjs';
import { suite, step, finish, must, equal, refused, installation, credential, sleep, slowness, unique } from '../steps.mjs';

suite('groups_roles');
const { client } = installation;
const mark = unique();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-roles-'));
const subscription = `/subscriptions/${client.subscription}`;
const vaultScope = `${subscription}/resourceGroups/default/providers/Microsoft.KeyVault/vaults/default`;
const secretsOf = (cred) => new SecretClient(client.vaultUrl, cred, { disableChallengeResourceVerification: true, retryOptions: { maxRetries: 0 } });
const identity = (...words) => installation.run(['identity', ...words]);
const asJson = (...words) => installation.json(['identity', ...words]);
const principal = (name) => {
  const made = installation.json(['principal', 'create', `${name}-${mark}`]);
  return { ...made, secrets: secretsOf(credential({ clientId: made.clientId, secret: made.secret })) };
};
const one = `one-${mark}`;
const two = `two-${mark}`;
for (const name of [one, two]) await secretsOf(credential()).setSecret(name, name);

/** Waits, for at most a second, until the promise that `work` makes is kept, or is not. */
async function soon(is, work) {
  const start = Date.now();
  for (;;) {
    const error = await work().then(() => undefined, (caught) => caught);
    if (is === !error) return;
    if (error && ![401, 403].includes(error.statusCode)) throw error;
    if (Date.now() - start > 1000 * slowness) throw new Error(is ? `not allowed within a second: ${error.message}` : 'not refused within a second');
    await sleep(10);
  }
}
const allowed = (work) => soon(true, work);
const denied = (work) => soon(false, work);
function write(name, definition) {
  const file = path.join(folder, name);
  fs.writeFileSync(file, JSON.stringify(definition));
  return file;
}

await step('a_role_of_a_group_counts_for_members_of_its_groups', async () => {
  const worker = principal('worker');
  for (const name of ['inner', 'outer']) identity('group', 'create', `${name}-${mark}`, '--description', words.principal);
  identity('group', 'add', `outer-${mark}`, `inner-${mark}`);
  identity('assignment', 'create', '--assignee', `outer-${mark}`, '--role', 'Key Vault Secrets User', '--scope', vaultScope);
  await refused(worker.secrets.getSecret(one), 403, 'Forbidden');
  identity('group', 'add', `inner-${mark}`, worker.objectId);
  await allowed(() => worker.secrets.getSecret(one));
  equal((await worker.secrets.getSecret(one)).value, one, 'value');
  const shown = asJson('group', 'show', `inner-${mark}`);
  equal(shown.members[0].id, worker.objectId, 'member');
  equal(asJson('group', 'list', '--member', worker.objectId).length, 1, 'groups of the member');
  identity('group', 'remove', `outer-${mark}`, `inner-${mark}`);
  await denied(() => worker.secrets.getSecret(one));
  const ring = installation.run(['identity', 'group', 'add', `inner-${mark}`, `inner-${mark}`], { allowFailure: true });
  must(ring.status === 1 && ring.stderr.includes('already'), `a ring is refused: ${ring.stderr}`);
  for (const name of ['inner', 'outer']) identity('group', 'delete', `${name}-${mark}`);
});
await step('a_role_of_ones_own_allows_what_it_says', async () => {
  const worker = principal('custom');
  const definition = { Name: `Secret Watcher ${mark}`, Description: `reads one kind of thing, says ${words.principal}`, Actions: [], NotActions: [],
    DataActions: ['Microsoft.KeyVault/vaults/secrets/readMetadata/action'], NotDataActions: [], AssignableScopes: [subscription] };
  const made = asJson('role', 'create', write('role.json', definition));
  equal(made.roleType, 'CustomRole', 'roleType');
  identity('assignment', 'create', '--assignee', worker.objectId, '--role', definition.Name, '--scope', vaultScope);
  await allowed(() => worker.secrets.listPropertiesOfSecrets().next());
  await refused(worker.secrets.getSecret(one), 403, 'Forbidden');
  definition.DataActions = ['Microsoft.KeyVault/vaults/secrets/*'];
  definition.NotDataActions = ['Microsoft.KeyVault/vaults/secrets/setSecret/action'];
  identity('role', 'update', made.name, write('role.json', definition));
  await allowed(() => worker.secrets.getSecret(one));
  await refused(worker.secrets.setSecret(one, 'x'), 403, 'Forbidden');
  equal(asJson('role', 'list', '--custom').filter((role) => role.name === made.name).length, 1, 'listed');
  const busy = installation.run(['identity', 'role', 'delete', made.name], { allowFailure: true });
  must(busy.status === 1 && busy.stderr.includes('assign'), busy.stderr);
  identity('assignment', 'delete', '--assignee', worker.objectId, '--role', made.name, '--scope', vaultScope);
  await denied(() => worker.secrets.getSecret(one));
  identity('role', 'delete', made.name);
});
await step('what_azure_refuses_in_a_role_is_refused', async () => {
  const good = { Name: `Wrong ${mark}`, Actions: ['Microsoft.KeyVault/vaults/read'], AssignableScopes: [subscription] };
  for (const [change, why] of [
    [{ Name: 'Reader' }, 'built-in'], [{ Name: '' }, 'name'], [{ Actions: [] }, 'action'], [{ Actions: ['read'] }, 'no action'], [{ Actions: ['a b/c/read'] }, 'no action'],
    [{ Actions: ['Microsoft.KeyVault/vaults/peek'] }, 'no action'], [{ NotActions: 'x' }, 'array'], [{ AssignableScopes: [] }, 'assignable scope'], [{ AssignableScopes: ['/'] }, 'assignable scope'],
    [{ AssignableScopes: [`${subscription}/*`] }, 'assignable scope'], [{ AssignableScopes: [vaultScope] }, 'assignable scope'],
    [{ DataActions: ['Microsoft.KeyVault/vaults/*'], AssignableScopes: ['/providers/Microsoft.Management/managementGroups/any'] }, 'data actions'],
  ]) {
    const result = installation.run(['identity', 'role', 'create', write('wrong.json', { ...good, ...change })], { allowFailure: true });
    must(result.status === 1 && result.stderr.includes(why), `${JSON.stringify(change)}: ${result.stderr}`);
  }
  const made = asJson('role', 'create', write('narrow.json', { ...good, AssignableScopes: [`${subscription}/resourceGroups/elsewhere`] }));
  const outside = installation.run(['identity', 'assignment', 'create', '--assignee', client.objectId, '--role', made.name, '--scope', vaultScope], { allowFailure: true });
  must(outside.status === 1 && outside.stderr.includes('assignable scopes'), outside.stderr);
  identity('role', 'delete', made.name);
});
await step('a_scope_may_be_a_single_secret', async () => {
  const worker = principal('single');
  identity('assignment', 'create', '--assignee', worker.objectId, '--role', 'Key Vault Secrets User', '--scope', `${vaultScope}/secrets/${one}`);
  await allowed(() => worker.secrets.getSecret(one));
  await refused(worker.secrets.getSecret(two), 403, 'Forbidden');
});
await step('management_groups_are_above_subscriptions', async () => {
  const worker = principal('manager');
  const [upper, lower] = [`upper-${mark}`, `lower-${mark}`];
  const { id } = asJson('management-group', 'create', upper);
  identity('management-group', 'create', lower, '--parent', upper, '--display-name', words.principal);
  identity('assignment', 'create', '--assignee', worker.objectId, '--role', 'Key Vault Secrets User', '--scope', id);
  await refused(worker.secrets.getSecret(one), 403, 'Forbidden');
  identity('management-group', 'place', lower);
  await allowed(() => worker.secrets.getSecret(one));
  const full = installation.run(['identity', 'management-group', 'delete', lower], { allowFailure: true });
  must(full.status === 1 && full.stderr.includes('under it'), full.stderr);
  const ring = installation.run(['identity', 'management-group', 'update', upper, '--parent', lower], { allowFailure: true });
  must(ring.status === 1 && ring.stderr.includes('below'), ring.stderr);
  identity('management-group', 'update', lower, '--parent', client.tenant);
  await denied(() => worker.secrets.getSecret(one));
  identity('management-group', 'place', client.tenant);
  for (const name of [lower, upper]) identity('management-group', 'delete', name);
  equal(asJson('management-group', 'list').value.length, 1, 'the root alone is left');
});
await step('a_denial_wins_over_roles_but_for_who_is_excluded', async () => {
  const [owner, keeper] = [principal('owner'), principal('keeper')];
  for (const { objectId } of [owner, keeper]) identity('assignment', 'create', '--assignee', objectId, '--role', 'Strongroom Administrator', '--scope', '/');
  await allowed(() => owner.secrets.getSecret(one));
  const { id } = asJson('denial', 'create', write('denial.json', { name: `denial ${mark}`, scope: `${vaultScope}/secrets/${one}`, principals: ['00000000-0000-0000-0000-000000000000'],
    excludePrincipals: [keeper.objectId], dataActions: ['Microsoft.KeyVault/vaults/secrets/getSecret/action'] }));
  equal(asJson('denial', 'list').filter((denial) => denial.id === id).length, 1, 'listed');
  await denied(() => owner.secrets.getSecret(one));
  equal((await owner.secrets.getSecret(two)).value, two, 'another secret');
  equal((await keeper.secrets.getSecret(one)).value, one, 'for who is excluded');
  identity('denial', 'delete', id);
  await allowed(() => owner.secrets.getSecret(one));
  const nobody = installation.run(['identity', 'denial', 'create', write('nobody.json', { name: 'x', scope: '/', principals: [], actions: ['*'] })], { allowFailure: true });
  must(nobody.status === 1 && nobody.stderr.includes('nobody'), nobody.stderr);
});
fs.rmSync(folder, { recursive: true });
finish();

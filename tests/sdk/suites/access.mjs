// Who may do what in a vault, by the wire and with real tokens: every role, and every permission of access policies, against the program's own
// list of operations, held against the table written from Azure's documentation. Then the firewall, groups, deletion, and the command line.
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite, step, finish, must, equal, installation, credential, sleep, unique } from '../steps.mjs';

suite('access');
const { client, ports, state } = installation;
const here = path.dirname(fileURLToPath(import.meta.url));
const lines = fs.readFileSync(path.join(here, '..', '..', 'unit', 'vault', 'access.tsv'), 'utf8').split('\n').filter((line) => line && !line.startsWith('#'));
const expected = new Map(lines.map((line) => line.split('\t')).map(([method, route, permissions, roles]) => [`${method} ${route}`, { permissions: permissions.split('|'), roles }]));
const letters = { A: ['Key Vault Administrator', 'Strongroom Administrator'], R: ['Key Vault Reader'], O: ['Key Vault Crypto Officer'], U: ['Key Vault Crypto User'],
  S: ['Key Vault Crypto Service Encryption User'], L: ['Key Vault Crypto Service Release User'], E: ['Key Vault Secrets Officer'], G: ['Key Vault Secrets User'],
  C: ['Key Vault Certificates Officer'], V: ['Key Vault Certificate User'],
  '-': ['Owner', 'Contributor', 'Reader', 'User Access Administrator', 'Key Vault Contributor', 'Key Vault Data Access Administrator', 'Key Vault Purge Operator', 'Storage Blob Data Owner'] };
const operations = installation.json(['vault', 'operations']);
const agent = new https.Agent({ keepAlive: true, maxSockets: 24 });
const denials = ['ForbiddenByRbac', 'AccessDenied', 'ForbiddenByFirewall', 'ForbiddenByConnection'];

/** One request to a named vault, as its host name would lead to it. */
function ask(vault, { method = 'GET', target = '/keys?api-version=7.4', token, body, host = '127.0.0.1' } = {}) {
  return new Promise((resolve, reject) => {
    const headers = { host: `${vault}.vault.localhost:${ports['vault-port']}`, 'content-type': 'application/json' };
    if (token) headers.authorization = `Bearer ${token}`;
    const request = https.request({ host, port: ports['vault-port'], servername: `${vault}.vault.localhost`, method, path: target, headers, agent }, (response) => {
      let text = '';
      response.on('data', (piece) => { text += piece; });
      response.on('end', () => {
        const error = text && JSON.parse(text).error;
        resolve({ status: response.statusCode, headers: response.headers, error, inner: error?.innererror?.code });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}
/** What the operation comes to for whoever has the token: true where permissions do not stand in the way. */
async function may(vault, operation, token) {
  const target = `/${operation.path.replace('{name}', 'wire').replace('{version}', 'a'.repeat(32))}?api-version=7.4`;
  const { status, inner, error } = await ask(vault, { method: operation.method, target, token, body: ['GET', 'DELETE'].includes(operation.method) ? undefined : '{}' });
  must(status !== 401 && status < 500, `${operation.method} ${operation.path} gave ${status} ${JSON.stringify(error)}`);
  return !(status === 403 && denials.includes(inner));
}
/** Runs work on all items, some at once. */
async function each(items, work) {
  const left = [...items];
  await Promise.all([...Array(16)].map(async () => { while (left.length) await work(left.shift()); }));
}
/** A request to a service's Unix socket. */
function local(service, method, target, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath: path.join(state, service, 'control.sock'), method, path: target }, (response) => {
      let text = '';
      response.on('data', (piece) => { text += piece; });
      response.on('end', () => (response.statusCode < 300 ? resolve(text && JSON.parse(text)) : reject(new Error(`${method} ${target}: ${response.statusCode} ${text}`))));
    });
    request.on('error', reject);
    request.end(body && JSON.stringify(body));
  });
}
/** A principal with a token that the vault takes. */
async function principal(role, scope) {
  const made = installation.json(['principal', 'create', `access-${unique()}`, ...(role ? ['--role', role, '--scope', scope] : [])]);
  made.token = (await credential({ clientId: made.clientId, secret: made.secret }).getToken('https://vault.azure.net/.default')).token;
  for (let i = 0; (await ask('default', { token: made.token })).status === 401; i++) {
    must(i < 200, 'the vault knows a new principal soon');
    await sleep(10);
  }
  return made;
}
const makeVault = (...more) => installation.json(['vault', 'create', `v${unique()}`.slice(0, 20), ...more]);

await step('by_roles_each_role_does_what_azure_says', async () => {
  const vault = makeVault();
  const cells = [];
  for (const [letter, names] of Object.entries(letters)) for (const name of names) {
    const { token } = await principal(name, vault.id);
    for (const operation of operations) cells.push({ letter, name, token, operation });
  }
  let allowed = 0;
  await each(cells, async ({ letter, name, token, operation }) => {
    const row = expected.get(`${operation.method} ${operation.path}`);
    must(row, `a line for ${operation.method} ${operation.path}`);
    equal(await may(vault.name, operation, token), row.roles.includes(letter), `${name}: ${operation.method} ${operation.path}`);
    allowed += row.roles.includes(letter);
  });
  must(cells.length > 500 && allowed > 100, `${cells.length} cells, ${allowed} allowed`);
});
await step('by_policies_each_permission_does_what_azure_says', async () => {
  const vault = makeVault('--access', 'policies');
  const holder = await principal('Key Vault Administrator', vault.id); // roles do not count here
  const tenantId = client.tenant;
  const collections = { keys: ['all', 'encrypt', 'decrypt', 'wrapKey', 'unwrapKey', 'sign', 'verify', 'get', 'list', 'create', 'update', 'import', 'delete', 'backup', 'restore',
    'recover', 'purge', 'release', 'rotate', 'getrotationpolicy', 'setrotationpolicy'], secrets: ['all', 'get', 'list', 'set', 'delete', 'backup', 'restore', 'recover', 'purge'],
    certificates: ['all', 'get', 'list', 'delete', 'create', 'import', 'update', 'managecontacts', 'getissuers', 'listissuers', 'setissuers', 'deleteissuers', 'manageissuers', 'recover', 'purge', 'backup', 'restore'],
    storage: ['all', 'get', 'list', 'set', 'delete', 'purge'] };
  for (const [collection, permissions] of Object.entries(collections)) for (const permission of permissions) {
    const entry = { tenantId, objectId: holder.objectId, permissions: { [collection]: [permission.toUpperCase()] } };
    await local('vault', 'PUT', `${vault.id}/accessPolicies/replace?api-version=2023-07-01`, { properties: { accessPolicies: [entry] } });
    await each(operations, async (operation) => {
      const row = expected.get(`${operation.method} ${operation.path}`);
      const isEnough = permission === 'all' ? row.permissions.every((one) => one.startsWith(`${collection}/`) && !one.endsWith('/purge')) : row.permissions.includes(`${collection}/${permission}`);
      equal(await may(vault.name, operation, holder.token), isEnough, `${collection}/${permission}: ${operation.method} ${operation.path}`);
    });
  }
}, 240);
await step('refusals_have_key_vaults_shape', async () => {
  const roles = makeVault();
  const policies = makeVault('--access', 'policies');
  const nobody = await principal();
  const byRoles = await ask(roles.name, { target: '/keys/k1?api-version=7.4', token: nobody.token });
  equal(`${byRoles.status} ${byRoles.error.code} ${byRoles.inner}`, '403 Forbidden ForbiddenByRbac', 'by roles');
  for (const part of ['Caller is not authorized to perform action on resource.\r\n', `Caller: appid=${nobody.clientId};oid=${nobody.objectId};iss=`, "Action: 'Microsoft.KeyVault/vaults/keys/read'",
    `Resource: '${roles.id}/keys/k1'`, 'Assignment: (not found)', `Vault: ${roles.name};location=local`]) must(byRoles.error.message.includes(part), `${part} in ${byRoles.error.message}`);
  const byPolicies = await ask(policies.name, { target: '/keys/k1?api-version=7.4', token: nobody.token });
  equal(`${byPolicies.status} ${byPolicies.error.code} ${byPolicies.inner}`, '403 Forbidden AccessDenied', 'by policies');
  must(byPolicies.error.message.startsWith(`The user, group or application 'appid=${nobody.clientId};oid=${nobody.objectId};iss=`) &&
    byPolicies.error.message.includes(`does not have keys get permission on key vault '${policies.name};location=local'.`), byPolicies.error.message);
});
await step('a_policy_of_a_group_counts_for_its_members_and_changes_hold_at_once', async () => {
  const vault = makeVault('--access', 'policies');
  const member = await principal();
  const group = await local('identity', 'POST', '/_strongroom/groups', { name: `g-${unique()}` });
  installation.run(['vault', 'policy', 'set', vault.name, '--object-id', group.id, '--keys', 'list']);
  equal((await ask(vault.name, { token: member.token })).inner, 'AccessDenied', 'not a member');
  await local('identity', 'POST', `/_strongroom/groups/${group.id}/members`, { member: member.objectId });
  for (let i = 0; (await ask(vault.name, { token: member.token })).status !== 200; i++) {
    must(i < 100, 'a member is let in within a second');
    await sleep(10);
  }
  installation.run(['vault', 'policy', 'remove', vault.name, '--object-id', group.id]);
  equal((await ask(vault.name, { token: member.token })).inner, 'AccessDenied', 'taken away');
  installation.run(['vault', 'policy', 'set', vault.name, '--object-id', member.objectId, '--keys', 'LIST']);
  equal((await ask(vault.name, { token: member.token })).status, 200, 'its own');
  installation.run(['vault', 'update', vault.name, '--access', 'roles']);
  equal((await ask(vault.name, { token: member.token })).inner, 'ForbiddenByRbac', 'by roles');
});
await step('network_rules_let_in_whom_they_name', async () => {
  const vault = makeVault();
  const { token, objectId } = await principal('Key Vault Administrator', vault.id);
  const both = async () => (await Promise.all(['::1', '127.0.0.1'].map((host) => ask(vault.name, { token, host })))).map(({ status, inner }) => `${status}${inner ? ` ${inner}` : ''}`).join(', ');
  equal(await both(), '200, 200', 'open');
  installation.run(['vault', 'network', 'add', vault.name, '::1']);
  equal(await both(), '200, 200', 'a rule alone closes nothing');
  installation.run(['vault', 'network', 'set', vault.name, '--default-action', 'Deny']);
  equal(await both(), '200, 403 ForbiddenByFirewall', 'IPv6 alone');
  const refused = await ask(vault.name, { token });
  must(refused.error.message.startsWith('Client address is not authorized and caller is not a trusted service.\r\nClient address: 127.0.0.1\r\nCaller: appid='), refused.error.message);
  installation.run(['vault', 'network', 'add', vault.name, '127.0.0.0/8']);
  installation.run(['vault', 'network', 'remove', vault.name, '::1']);
  equal(await both(), '403 ForbiddenByFirewall, 200', 'IPv4 alone');
  equal((await ask(vault.name, { host: '::1' })).status, 401, 'a challenge comes before the firewall: without a token nothing is told');
  installation.run(['vault', 'network', 'set', vault.name, '--public-access', 'Disabled']);
  equal(await both(), '403 ForbiddenByConnection, 403 ForbiddenByConnection', 'closed');
  installation.run(['key', 'create', 'inside', '--vault', vault.name]); // the machine's own administrator
  const entries = installation.run(['audit', 'show', '--limit', '10000']).stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line)).filter((entry) => entry.who.oid === objectId);
  for (const outcome of ['ForbiddenByFirewall', 'ForbiddenByConnection']) must(entries.some((entry) => entry.outcome === outcome && entry.status === 403 && entry.from), `${outcome} is audited`);
});
await step('a_deleted_vault_takes_its_keys_away_until_it_is_recovered', async () => {
  const vault = makeVault('--retention-days', '7');
  const { token } = await principal('Key Vault Administrator', vault.id);
  const account = `acc${unique()}`;
  installation.run(['key', 'create', 'k', '--vault', vault.name]);
  installation.run(['account', 'create', account, '--key', 'k', '--vault', vault.name]);
  const stateOf = () => installation.json(['account', 'list']).find(({ name }) => name === account).state;
  equal(stateOf(), 'available', 'before');
  installation.run(['vault', 'delete', vault.name, '--yes']);
  equal(stateOf(), 'revoked', 'deleted');
  const gone = await ask(vault.name, { token });
  equal(`${gone.status} ${gone.error.code}`, '404 VaultNotFound', 'data plane');
  installation.run(['vault', 'recover', vault.name]);
  equal(stateOf(), 'available', 'recovered');
  equal((await ask(vault.name, { token })).status, 200, 'data plane');
  installation.run(['vault', 'delete', vault.name, '--yes']);
  installation.run(['vault', 'purge', vault.name, '--yes']);
  equal(stateOf(), 'revoked', 'purged');
  equal(installation.run(['vault', 'recover', vault.name], { allowFailure: true }).status, 1, 'nothing to recover');
});
await step('a_protected_vault_is_not_purged', async () => {
  const vault = makeVault('--purge-protection');
  installation.run(['vault', 'delete', vault.name, '--yes']);
  const refused = installation.run(['vault', 'purge', vault.name, '--yes'], { allowFailure: true });
  must(refused.status === 1 && refused.stderr.includes('purge protection'), refused.stderr);
  must(installation.json(['vault', 'list', '--deleted']).some(({ name }) => name === vault.name), 'it is listed');
  equal(installation.run(['vault', 'create', vault.name], { allowFailure: true }).status, 1, 'its name is taken');
  installation.run(['vault', 'recover', vault.name]);
});
await step('a_role_for_one_key_opens_that_key_alone', async () => {
  const vault = makeVault();
  const { token } = await principal('Key Vault Crypto User', `${vault.id}/keys/mine`);
  for (const name of ['mine', 'other']) installation.run(['key', 'create', name, '--vault', vault.name]);
  equal((await ask(vault.name, { token, target: '/keys/mine?api-version=7.4' })).status, 200, 'its own');
  equal((await ask(vault.name, { token, target: '/keys/other?api-version=7.4' })).inner, 'ForbiddenByRbac', 'another');
  equal((await ask(vault.name, { token })).inner, 'ForbiddenByRbac', 'the list');
  const digest = crypto.randomBytes(32).toString('base64url');
  equal((await ask(vault.name, { token, method: 'POST', target: '/keys/mine/sign?api-version=7.4', body: JSON.stringify({ alg: 'RS256', value: digest }) })).status, 200, 'sign');
});
agent.destroy();
finish();

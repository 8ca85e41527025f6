// Managed identities: unmodified credential classes over the metadata endpoint and App Service's pair, what the endpoint refuses, and
// how soon an identity that is taken away is refused.
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { SecretClient } from '@azure/keyvault-secrets';
import { words } from '../canary.mjs';
import { suite, step, finish, must, equal, installation, credential, blobService, raw, sleep, slowness, unique } from '../steps.mjs';

suite('managed_identity');
const { client } = installation;
const program = fileURLToPath(new URL('../managed-client.mjs', import.meta.url));
const settings = fs.readFileSync(path.join(installation.state, 'strongroom.conf'), 'utf8');
const place = /^imds-listen ?= ?(\S+)$/m.exec(settings)?.[1];
must(place, 'the installation has a metadata endpoint');
const imds = `http://${place}`;
const uid = process.getuid();
const resource = 'https://vault.azure.net';
const mark = unique();
const workspace = `/subscriptions/${client.subscription}/resourceGroups/default/providers/Microsoft.MachineLearningServices/workspaces/ws-${mark}`;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-managed-'));

/** One plain request to the metadata endpoint. */
function ask(target, headers = { metadata: 'true' }, method = 'GET') {
  return new Promise((resolve, reject) => {
    const request = http.request(imds + target, { method, headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (piece) => { text += piece; });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text, body: text ? JSON.parse(text) : undefined }));
    });
    request.on('error', reject);
    request.end();
  });
}
const askToken = (more = '', headers) => ask(`/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${encodeURIComponent(resource)}${more}`, headers);
const withEnvironment = (more) => ({ ...process.env, AZURE_CLIENT_ID: undefined, IDENTITY_ENDPOINT: undefined, IDENTITY_HEADER: undefined, ...more });

/** Runs a program to its end. */
function run(file, args, { env = process.env, input } = {}) {
  return new Promise((resolve) => {
    const child = execFile(file, args, { env, maxBuffer: 16 << 20 }, (error, stdout, stderr) => resolve({ status: error ? error.code : 0, stdout, stderr }));
    if (input !== undefined) child.stdin.end(input);
  });
}
/** What the customer's program says; it knows only `environment` and what it is asked. */
async function customer(asked, environment) {
  const { stdout, stderr } = await run(process.execPath, [program, JSON.stringify(asked)], { env: withEnvironment(environment) });
  if (!stdout) throw new Error(stderr);
  return JSON.parse(stdout);
}
const podHost = { AZURE_POD_IDENTITY_AUTHORITY_HOST: imds };

const userAssigned = installation.json(['identity', 'managed-identity', 'create', `${words.principal}-${mark}`]);
const systemAssigned = installation.json(['identity', 'managed-identity', 'create', '--resource', workspace]);
const account = installation.json(['account', 'create', `mi${mark}`]);
const secretName = `managed-${mark}`;
await new SecretClient(client.vaultUrl, credential(), { disableChallengeResourceVerification: true }).setSecret(secretName, 'for machines');
await blobService(account).getContainerClient('data').create();
await blobService(account).getContainerClient('data').getBlockBlobClient('blob').upload('content', 7);
for (const identity of [userAssigned, systemAssigned]) {
  for (const role of ['Key Vault Secrets User', 'Storage Blob Data Reader']) {
    installation.run(['identity', 'assignment', 'create', '--assignee', identity.principalId, '--role', role, '--scope', `/subscriptions/${client.subscription}`]);
  }
}
const everything = { vault: client.vaultUrl, secret: secretName, blob: `${client.blobEndpoint}/${account.name}` };
function allThere(said, identity) {
  if (said.error) throw new Error(JSON.stringify(said.error));
  equal(said.secret, 'for machines', 'secret');
  equal(said.content, 'content', 'blob');
  equal(said.claims.oid, identity.principalId, 'oid');
  equal(said.claims.appid, identity.clientId, 'appid');
  equal(said.claims.xms_mirid, identity.id, 'xms_mirid');
  equal(said.claims.idtyp, 'app', 'idtyp');
}

await step('what_is_bound_to_nobody_is_given_to_nobody', async () => {
  const answer = await askToken();
  equal(answer.status, 400, answer.text);
  equal(answer.body.error, 'invalid_request');
  must(answer.body.error_description.includes('Identity not found'), answer.body.error_description);
  must((await customer({}, podHost)).error, 'the credential class fails');
  const loose = installation.run(['identity', 'imds', 'bind', '127.0.0.1', systemAssigned.clientId], { allowFailure: true });
  must(loose.status !== 0 && loose.stderr.includes('every process'), 'a loopback address needs a user');
});
installation.run(['identity', 'imds', 'bind', '127.0.0.1', systemAssigned.principalId, userAssigned.name, '--uid', String(uid)]);

await step('the_token_answer_is_as_documented', async () => {
  const answer = await askToken();
  equal(answer.status, 200, answer.text);
  for (const name of ['access_token', 'expires_in', 'expires_on', 'ext_expires_in', 'not_before', 'resource', 'token_type', 'client_id']) equal(typeof answer.body[name], 'string', name);
  equal(answer.body.resource, resource, 'resource');
  equal(answer.body.token_type, 'Bearer', 'token_type');
  equal(answer.body.client_id, systemAssigned.clientId, 'without a choice it is the system-assigned one');
  must(/no-store/.test(answer.headers['cache-control']), 'no cache keeps it');
  for (const [more, identity] of [[`&client_id=${userAssigned.clientId}`, userAssigned], [`&object_id=${userAssigned.principalId}`, userAssigned],
    [`&msi_res_id=${encodeURIComponent(userAssigned.id)}`, userAssigned], [`&client_id=${systemAssigned.clientId.toUpperCase()}`, systemAssigned]]) {
    equal((await askToken(more)).body.client_id, identity.clientId, more);
  }
  const info = await ask('/metadata/identity/info?api-version=2018-02-01');
  equal(info.body.tenantId, client.tenant, 'tenantId');
});
await step('what_the_endpoint_refuses', async () => {
  const token = '/metadata/identity/oauth2/token';
  const versions = 'api-version=2018-02-01';
  for (const [target, headers, status, error, method] of [
    [`${token}?${versions}&resource=${resource}`, {}, 400, 'invalid_request'],
    [`${token}?${versions}&resource=${resource}`, { metadata: 'false' }, 400, 'invalid_request'],
    [`${token}?${versions}&resource=${resource}`, { metadata: 'true', 'x-forwarded-for': '10.0.0.1' }, 400, 'invalid_request'],
    [`${token}?resource=${resource}`, undefined, 400, 'invalid_request'],
    [`${token}?api-version=2017-12-01&resource=${resource}`, undefined, 400, 'invalid_request'],
    [`${token}?api-version=latest&resource=${resource}`, undefined, 400, 'invalid_request'],
    [`${token}?${versions}`, undefined, 400, 'invalid_request'],
    [`${token}?${versions}&resource=https://elsewhere.example`, undefined, 400, 'invalid_resource'],
    [`${token}?${versions}&resource=${resource}&client_id=${client.clientId}`, undefined, 400, 'invalid_request'],
    [`${token}?${versions}&resource=${resource}&client_id=${userAssigned.clientId}&object_id=${userAssigned.principalId}`, undefined, 400, 'invalid_request'],
    [`${token}?${versions}&resource=${resource}`, undefined, 405, 'method_not_allowed', 'POST'],
    ['/metadata/instance?api-version=2021-02-01', undefined, 404, 'not_found'],
    [`/${client.tenant}/oauth2/v2.0/token`, undefined, 404, 'not_found', 'POST'],
    ['/directory', undefined, 404, 'not_found'],
    ['/_strongroom/principals', undefined, 404, 'not_found'],
  ]) {
    const answer = await ask(target, headers, method);
    equal(answer.status, status, `${method ?? 'GET'} ${target} ${JSON.stringify(headers)}: ${answer.text}`);
    equal(answer.body.error, error, target);
    equal(typeof answer.body.error_description, 'string', target);
  }
  equal((await raw(client.authority, { path: `${token}?${versions}&resource=${resource}`, headers: { metadata: 'true' } })).status, 404, 'not where customers are served');
});
await step('managed_identity_credential_over_imds', async () => {
  allThere(await customer(everything, podHost), systemAssigned);
  for (const options of [{ clientId: userAssigned.clientId }, { resourceId: userAssigned.id }, { objectId: userAssigned.principalId }]) {
    allThere(await customer({ ...everything, options }, podHost), userAssigned);
  }
});
await step('default_azure_credential_probes_and_finds_it', async () => {
  allThere(await customer({ ...everything, default: true }, podHost), systemAssigned);
  allThere(await customer({ ...everything, default: true, options: { managedIdentityClientId: userAssigned.clientId } }, podHost), userAssigned);
});
await step('another_user_of_the_machine_gets_nothing', async () => {
  if (uid !== 0) return; // only root can become somebody else
  const script = `const r = await fetch('${imds}/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${resource}', { headers: { metadata: 'true' } }); console.log(r.status)`;
  const status = await new Promise((resolve) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { uid: 54321, gid: 54321, cwd: '/', env: {}, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (piece) => { text += piece; });
    child.on('close', () => resolve(text.trim()));
  });
  equal(status, '400', 'status for another user');
});
const runAs = (identities, words, options) => run(installation.binary, ['identity', 'run', ...identities, '--state', installation.state, '--', ...words], options);
await step('a_command_runs_as_an_identity', async () => {
  const ran = await runAs([userAssigned.name, systemAssigned.id], [process.execPath, program, JSON.stringify({ ...everything, options: { clientId: userAssigned.clientId } })], { env: withEnvironment() });
  equal(ran.status, 0, ran.stderr);
  allThere(JSON.parse(ran.stdout), userAssigned);
  const system = await runAs([systemAssigned.id], [process.execPath, program, JSON.stringify({ ...everything, default: true })], { env: withEnvironment() });
  allThere(JSON.parse(system.stdout), systemAssigned);
  const byResource = await runAs([userAssigned.id, systemAssigned.id], [process.execPath, program, JSON.stringify({ ...everything, options: { resourceId: userAssigned.id } })], { env: withEnvironment() });
  allThere(JSON.parse(byResource.stdout), userAssigned);
});
await step('the_header_and_its_tokens_end_with_the_command', async () => {
  const ran = await runAs([userAssigned.name], ['sh', '-c', 'echo "$IDENTITY_ENDPOINT $IDENTITY_HEADER"; exec curl -s -H "X-IDENTITY-HEADER: $IDENTITY_HEADER" "$IDENTITY_ENDPOINT?api-version=2019-08-01&resource=https://vault.azure.net"']);
  equal(ran.status, 0, ran.stderr);
  const [line, ...rest] = ran.stdout.split('\n');
  const [endpoint, header] = line.split(' ');
  const answer = JSON.parse(rest.join('\n'));
  equal(typeof answer.expires_on, 'string', 'expires_on is a string');
  equal(answer.client_id, userAssigned.clientId, 'client_id');
  const after = await ask(`${new URL(endpoint).pathname}?api-version=2019-08-01&resource=${resource}`, { 'x-identity-header': header });
  equal(after.status, 401, after.text);
  await sleep(1000 * slowness);
  equal((await raw(client.vaultUrl, { path: `/secrets/${secretName}?api-version=7.4`, headers: { authorization: `Bearer ${answer.access_token}` } })).status, 401, 'its token is refused');
  for (const [headers, what] of [[{}, 'none'], [{ 'x-identity-header': 'x' }, 'short'], [{ 'x-identity-header': `${header.slice(0, -2)}xx` }, 'wrong']]) {
    equal((await ask(`/msi/token?api-version=2019-08-01&resource=${resource}`, headers)).status, 401, what);
  }
  equal((await ask(`/msi/token?api-version=2017-09-01&resource=${resource}`, {})).status, 400, 'an old version');
});
await step('exit_status_and_signals_are_the_commands', async () => {
  equal((await runAs([userAssigned.name], ['sh', '-c', 'exit 7'])).status, 7, 'exit status');
  equal((await runAs([userAssigned.name], ['sh', '-c', 'kill -9 $$'])).status, 137, 'ended by a signal');
  equal((await runAs([userAssigned.name], ['/nothing/here'])).status, 127, 'not found');
  equal((await runAs(['nobody'], ['true'])).status, 1, 'no such identity');
  const child = spawn(installation.binary, ['identity', 'run', userAssigned.name, '--state', installation.state, '--', 'sh', '-c', 'trap "echo caught; exit 3" TERM; echo ready; while :; do sleep 0.05; done'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let heard = '';
  child.stdout.on('data', (piece) => { heard += piece; if (heard === 'ready\n') child.kill('SIGTERM'); });
  equal(await new Promise((resolve) => child.once('close', resolve)), 3, 'what the command made of the signal');
  must(heard.includes('caught'), 'the signal came through');
});
await step('a_disabled_identity_is_refused_within_a_second', async () => {
  const { access_token: token } = (await askToken(`&client_id=${userAssigned.clientId}`)).body;
  const { access_token: forBlobs } = (await ask(`/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://storage.azure.com&client_id=${userAssigned.clientId}`)).body;
  const reads = [
    () => raw(client.vaultUrl, { path: `/secrets/${secretName}?api-version=7.4`, headers: { authorization: `Bearer ${token}` } }),
    () => raw(client.blobEndpoint, { path: `/${account.name}/data/blob`, headers: { authorization: `Bearer ${forBlobs}`, 'x-ms-version': '2023-11-03' } }),
  ];
  for (const read of reads) equal((await read()).status, 200, 'before');
  installation.run(['identity', 'managed-identity', 'disable', userAssigned.name]);
  const start = Date.now();
  for (const read of reads) {
    while ((await read()).status === 200) must(Date.now() - start < 1000 * slowness, 'refused within a second');
  }
  console.log(`#  refused ${Date.now() - start} ms after the command`);
  equal((await askToken(`&client_id=${userAssigned.clientId}`)).status, 400, 'and gets no more');
  installation.run(['identity', 'managed-identity', 'enable', userAssigned.name]);
  equal((await askToken(`&client_id=${userAssigned.clientId}`)).status, 200, 'until it is enabled');
});
const python = '/usr/bin/python3';
if ((await run(python, ['-c', 'import azure.identity, azure.keyvault.secrets'])).status === 0) {
  await step('python_azure_identity', async () => {
    const script = path.join(folder, 'client.py');
    fs.writeFileSync(script, `
import os, sys
from azure.identity import ManagedIdentityCredential, DefaultAzureCredential
from azure.keyvault.secrets import SecretClient
name, vault, client_id = sys.argv[1:4]
for credential in (ManagedIdentityCredential(), ManagedIdentityCredential(client_id=client_id), DefaultAzureCredential()):
    client = SecretClient(vault, credential, verify_challenge_resource=False)
    assert client.get_secret(name).value == "for machines"
print("read")
`);
    const args = [script, secretName, client.vaultUrl, userAssigned.clientId];
    const trust = { REQUESTS_CA_BUNDLE: client.caFile };
    const overImds = await run(python, args, { env: withEnvironment({ ...podHost, ...trust }) });
    equal(overImds.stdout.trim(), 'read', overImds.stderr.slice(-600));
    const asJob = await runAs([systemAssigned.id, userAssigned.id], [python, ...args], { env: withEnvironment({ REQUESTS_CA_BUNDLE: undefined }) });
    equal(asJob.stdout.trim(), 'read', asJob.stderr.slice(-600));
  });
} else {
  console.log('skip managed_identity.python_azure_identity (no azure-identity for Python here)');
}
await step('unbinding_and_deleting_end_it', async () => {
  const { access_token: token } = (await askToken()).body;
  const read = () => raw(client.vaultUrl, { path: `/secrets/${secretName}?api-version=7.4`, headers: { authorization: `Bearer ${token}` } });
  equal((await read()).status, 200, 'before');
  const [binding] = installation.json(['identity', 'imds', 'list']);
  equal(binding.uid, uid, 'whose binding');
  installation.run(['identity', 'imds', 'unbind', binding.id]);
  await sleep(1000 * slowness);
  equal((await read()).status, 401, 'its token');
  equal((await askToken()).status, 400, 'a new token');
  for (const identity of [userAssigned, systemAssigned]) installation.run(['identity', 'managed-identity', 'delete', identity.id]);
  equal(installation.json(['identity', 'managed-identity', 'list']).filter((one) => one.name.endsWith(mark)).length, 0, 'left');
});
fs.rmSync(folder, { recursive: true });
finish();

// Hostile requests to what has an API of JSON and forms: each operation of the vault, vaults as resources, sign-in of devices, the metadata
// endpoint. Whatever is sent, it is taken for what it says or refused with a 4xx in the API's own shape, and nobody is hurt.
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { suite, step, finish, must, equal, installation, credential, unique } from '../steps.mjs';

suite('hostile');
const { client, ports, state } = installation;
const agents = { 'https:': new https.Agent({ keepAlive: true, maxSockets: 12 }), 'http:': new http.Agent({ keepAlive: true, maxSockets: 4 }) };
const bearer = async (scope) => `Bearer ${(await credential().getToken(scope)).token}`;
const vaultToken = await bearer('https://vault.azure.net/.default');
const armToken = await bearer('https://management.azure.com/.default');
const processes = () => JSON.parse(fs.readFileSync(path.join(state, 'run', 'services.json'), 'utf8')).services.map(({ service, pid, restarts }) => `${service} ${pid} ${restarts}`).join();
const before = processes();

/** One request; the target goes onto the wire as it is. */
function send(origin, { method = 'GET', target, headers = {}, body = '' }) {
  const { protocol, hostname, port } = new URL(origin);
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body);
  return new Promise((resolve, reject) => {
    const request = (protocol === 'https:' ? https : http).request({ hostname, port, method, path: target, agent: agents[protocol], ...(headers.host && { servername: hostname }), headers: { ...headers, 'content-length': bytes.length } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => { text += piece; });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(bytes);
  });
}
const vault = (method, target, body) => send(client.vaultUrl, { method, target, headers: { authorization: vaultToken, 'content-type': 'application/json' }, body });
const parsed = (text) => { try { return JSON.parse(text); } catch { return undefined; } };
const isAzureError = ({ text }) => { const error = parsed(text)?.error; return typeof error?.code === 'string' && typeof error.message === 'string' && error.message.length > 0; };
/** Refused with one of the statuses, in the shape that clients of the API read. */
function mustBeRefused(answer, what, statuses = [400], isShape = isAzureError) {
  must(statuses.includes(answer.status), `${what}: ${statuses}, not ${answer.status} ${answer.text.slice(0, 200)}`);
  must(isShape(answer), `${what}: an error in the API's shape, not ${answer.text.slice(0, 200)}`);
}
async function each(items, work) {
  const left = [...items];
  await Promise.all([...Array(12)].map(async () => { for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item); }));
}

await step('a_token_for_another_service_is_none_for_the_vault_whatever_host_is_named', async () => {
  const storage = await bearer('https://storage.azure.com/.default');
  for (const [token, host] of [[storage, 'storage.azure.com'], [storage, 'storage.azure.com:443'], [armToken, 'management.azure.com']]) {
    const answer = await send(client.vaultUrl, { target: '/secrets?api-version=7.4', headers: { authorization: token, host } });
    mustBeRefused(answer, `a token for ${host}`, [401]);
  }
  equal((await vault('GET', '/secrets?api-version=7.4')).status, 200, 'its own token');
  const own = await bearer(`${client.vaultUrl}/.default`);
  equal((await send(client.vaultUrl, { target: '/secrets?api-version=7.4', headers: { authorization: own } })).status, 200, 'one for its own address');
});

await step('a_token_for_another_service_is_none_for_resource_manager_or_blob', async () => {
  const storage = await bearer('https://storage.azure.com/.default');
  const manager = `https://127.0.0.1:${ports['workspace-port']}`;
  const subscriptions = (token, host) => send(manager, { target: '/subscriptions?api-version=2022-12-01', headers: { authorization: token, ...(host && { host }) } });
  for (const [token, host] of [[storage, 'storage.azure.com'], [vaultToken, 'vault.azure.net'], [storage, undefined]]) equal((await subscriptions(token, host)).status, 401, `Resource Manager, ${host}`);
  equal((await subscriptions(armToken)).status, 200, 'its own token');
  for (const [token, host] of [[armToken, 'management.azure.com'], [vaultToken, 'vault.azure.net']]) {
    const answer = await send(client.blobEndpoint, { target: '/scenario?comp=list', headers: { authorization: token, host, 'x-ms-version': '2024-08-04' } });
    must([400, 401, 403, 404].includes(answer.status) && !answer.text.includes('EnumerationResults'), `blob, ${host}: ${answer.status}`);
  }
});

const notJson = { truncated: '{"value":"x"', text: 'nonsense', array: '[]', string: '"value"', number: '1', null: 'null', two: '{}{}', comma: '{"value":"x",}', deep: '['.repeat(100000), deep_objects: '{"a":'.repeat(20000), utf8: Buffer.from('{"value":"\xff"}', 'latin1'),
  nul: '{"value":"a\0"}', surrogate: '{"value":"\\ud800"}', nan: '{"value":NaN}', quotes: "{'value':'x'}", twice: '{"value":"x","value":"y"}', comment: '{/**/"value":"x"}', huge_number: `{"value":${'9'.repeat(400)}}`, mark: '\ufeff[]', empty_name_twice: '{"":1,"":2}' };
await step('bodies_that_are_no_json_are_refused_by_every_operation', async () => {
  const operations = installation.json(['vault', 'operations']).filter(({ method }) => ['PUT', 'POST', 'PATCH'].includes(method));
  must(operations.length > 25, 'operations');
  const cases = operations.flatMap(({ method, path: pattern }) => Object.entries(notJson).map(([what, body]) => ({ method, pattern, what, body })));
  await each(cases, async ({ method, pattern, what, body }) => {
    const target = `/${pattern.replace('{name}', 'hostile-none').replace('{version}', '0'.repeat(32))}?api-version=7.4`;
    // Those that read no body may say first that there is no such object.
    mustBeRefused(await vault(method, target, body), `${method} ${pattern}, ${what}`, [400, 403, 404, 409, 413]);
  });
});

const name = `hostile-${unique()}`;
const made = {};
/** A body that is good, by operation; each member is then made wrong. */
const good = {
  'PUT /secrets/NAME': { value: 'word', contentType: 'text/plain', tags: { a: 'b' }, attributes: { enabled: true, nbf: 1, exp: 4102444800 } },
  'PATCH /secrets/NAME': { contentType: 'text/plain', tags: { a: 'b' }, attributes: { enabled: true } },
  'POST /secrets/restore': { value: 'AAAA' },
  'POST /keys/NAME/create': { kty: 'EC', crv: 'P-256', key_ops: ['sign'], tags: { a: 'b' }, attributes: { enabled: true, exp: 4102444800 } },
  'PUT /keys/NAME': { key: { kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAA', key_ops: ['wrapKey'] }, tags: { a: 'b' }, attributes: { enabled: true } },
  'PATCH /keys/NAME': { key_ops: ['sign'], tags: { a: 'b' }, attributes: { enabled: true } },
  'PUT /keys/NAME/rotationpolicy': { lifetimeActions: [{ trigger: { timeAfterCreate: 'P90D' }, action: { type: 'Rotate' } }], attributes: { expiryTime: 'P2Y' } },
  'POST /keys/restore': { value: 'AAAA' },
  'POST /rng': { count: 16 },
  'POST /certificates/NAME/create': { policy: { issuer: { name: 'Unknown' }, key_props: { kty: 'EC', crv: 'P-256', reuse_key: false, exportable: true }, secret_props: { contentType: 'application/x-pem-file' },
    x509_props: { subject: 'CN=hostile', sans: { dns_names: ['a.example'], emails: ['a@example'] }, ekus: ['1.3.6.1.5.5.7.3.1'], key_usage: ['digitalSignature'], validity_months: 3 },
    lifetime_actions: [{ trigger: { days_before_expiry: 10 }, action: { action_type: 'EmailContacts' } }] }, tags: { a: 'b' }, attributes: { enabled: true } },
  'POST /certificates/NAME/import': { value: 'AAAA', pwd: 'x', policy: { secret_props: { contentType: 'application/x-pkcs12' } }, tags: { a: 'b' } },
  'POST /certificates/NAME/pending/merge': { x5c: ['AAAA'], tags: { a: 'b' } },
  'PATCH /certificates/NAME/policy': { x509_props: { validity_months: 3 }, key_props: { reuse_key: true } },
  'POST /certificates/restore': { value: 'AAAA' },
  'PUT /certificates/contacts': { contacts: [{ email: 'a@example.org', name: 'a', phone: '1' }] },
  'PUT /certificates/issuers/NAME': { provider: 'Strongroom', credentials: { account_id: 'a', pwd: 'b' }, org_details: { id: 'x', admin_details: [{ first_name: 'a', email: 'b@example' }] }, attributes: { enabled: true } },
};
const wrong = { number: 7, negative: -1, float: 1.5, huge: Number.MAX_SAFE_INTEGER, string: 'x', empty: '', long: 'A'.repeat(30000), controls: '\u0001\u0000\u007f', bidi: '\u202e\ufffe', array: [], nested: [[[]]], object: {}, deep: { a: { b: { c: 1 } } }, true: true, null: null };
/** Every body that is the good one but for one member, which is something else. */
function* spoiled(value, where = []) {
  for (const [member, inner] of Object.entries(value)) {
    const here = [...where, member];
    for (const [kind, other] of Object.entries(wrong)) yield { where: here, kind, other, isType: typeOf(other) !== typeOf(inner) && other !== null };
    if (inner && typeof inner === 'object') yield* spoiled(inner, here);
  }
}
const typeOf = (value) => (Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value);
function withOther(body, where, other) {
  const copy = structuredClone(body);
  where.slice(0, -1).reduce((at, member) => at[member], copy)[where.at(-1)] = other;
  return copy;
}
await step('each_member_of_another_type_or_size_is_refused_or_taken_as_it_is', async () => {
  const wrongly = [];
  for (const [operation, body] of Object.entries(good)) {
    const [method, target] = operation.replace('NAME', name).split(' ');
    await each(spoiled(body), async ({ where, kind, other, isType }) => {
      const answer = await vault(method, `${target}?api-version=7.4`, JSON.stringify(withOther(body, where, other)));
      const what = `${operation} with ${where.join('.')} ${kind}`;
      must(answer.status < 500, `${what}: ${answer.status} ${answer.text.slice(0, 200)}`);
      if (answer.status >= 300) must(isAzureError(answer), `${what}: a shape that clients read: ${answer.text.slice(0, 200)}`);
      else if (isType) wrongly.push(what);
      made[operation] ||= answer.status < 300;
    });
  }
  must(Object.values(made).filter(Boolean).length >= 9, `good ones are taken: ${JSON.stringify(made)}`);
  must(wrongly.length === 0, `${wrongly.length} of another type were taken: ${wrongly.slice(0, 40).join('; ')}`);
});
await step('names_and_queries_that_are_tricks_lead_nowhere', async () => {
  const names = ['%2e%2e', '..%2f..', 'a%2fb', '%00', 'a%00b', 'a%0d%0ab', '%c3%a9', '%ff', '%', '%4', '%zz', 'a_b', 'a.b', 'a%20b', '%61%', `${'a'.repeat(128)}`, `${'a'.repeat(9000)}`, ';a', "a'--", '%25%32%65', '%uff0e'];
  const cases = ['keys', 'secrets', 'certificates', 'deletedkeys', 'deletedsecrets', 'deletedcertificates', 'certificates/issuers'].flatMap((collection) => names.map((each_) => `/${collection}/${each_}`));
  await each(cases, async (target) => mustBeRefused(await vault('GET', `${target}?api-version=7.4`), target.slice(0, 60), [400, 404, 414]));
  await each(['secrets', 'keys', 'certificates'].flatMap((collection) => names.map((each_) => `/${collection}/none/${each_}`)), async (target) => mustBeRefused(await vault('GET', `${target}?api-version=7.4`), target.slice(0, 60), [400, 404, 414]));
  await each(names.filter((each_) => !/^a+$/.test(each_) || each_.length > 127), async (each_) => mustBeRefused(await vault('PUT', `/secrets/${each_}?api-version=7.4`, '{"value":"x"}'), `a secret named ${each_.slice(0, 40)}`, [400, 404, 405, 414]));
  for (const query of ['', 'api-version=', 'api-version=7', 'api-version=9999999999.4', 'api-version=%00', 'api-version=7.4%', 'api-version=7.4;7.3', 'api-version=7.4&maxresults=0', 'api-version=7.4&maxresults=-1', 'api-version=7.4&maxresults=26', 'api-version=7.4&maxresults=x',
    'api-version=7.4&maxresults=99999999999999999999', 'api-version=7.4&$skiptoken=x', 'api-version=7.4&$skiptoken=%00', `api-version=7.4&$skiptoken=${'A'.repeat(5000)}`]) {
    for (const collection of ['keys', 'secrets', 'certificates', 'deletedsecrets']) {
      const answer = await vault('GET', `/${collection}?${query}`);
      must(answer.status < 500, `${collection}?${query.slice(0, 40)}: ${answer.status}`);
      if (answer.status >= 300) mustBeRefused(answer, `${collection}?${query.slice(0, 40)}`);
      else must(/maxresults|skiptoken/.test(query), `${collection}?${query} was taken`);
    }
  }
  for (const method of ['DELETE', 'PATCH', 'PUT', 'OPTIONS']) mustBeRefused(await vault(method, '/secrets?api-version=7.4', '{}'), `${method} of a collection`, [400, 404, 405]);
});
await step('values_at_and_above_the_limits', async () => {
  const set = (value) => vault('PUT', `/secrets/${name}?api-version=7.4`, JSON.stringify({ value }));
  equal((await set('v'.repeat(25600))).status, 200, '25,600 bytes');
  mustBeRefused(await set('v'.repeat(25601)), '25,601 bytes', [400, 413]);
  mustBeRefused(await set('é'.repeat(12801)), 'as many in fewer letters', [400, 413]);
  mustBeRefused(await vault('PUT', `/secrets/${name}?api-version=7.4`, JSON.stringify({ value: 'x', tags: Object.fromEntries([...Array(16)].map((_, i) => [`t${i}`, 'x'])) })), '16 tags');
  mustBeRefused(await send(client.vaultUrl, { method: 'PUT', target: `/secrets/${name}?api-version=7.4`, headers: { authorization: vaultToken }, body: Buffer.alloc(1 << 20, 'x') }), 'a body of 1 MiB', [400, 413]);
});
await step('who_is_nobody_gets_a_challenge_everywhere', async () => {
  const operations = installation.json(['vault', 'operations']);
  const tokens = [undefined, 'Bearer', 'Bearer ', 'Basic eDp4', 'Bearer a.b.c', `Bearer ${'A'.repeat(5000)}`, `${vaultToken}x`, vaultToken.replace('Bearer ', 'Bearer  '), armToken, `Bearer ${Buffer.from('{"alg":"none"}').toString('base64url')}.${vaultToken.split('.')[1]}.`];
  await each(operations, async ({ method, path: pattern }) => {
    const target = `/${pattern.replace('{name}', 'none').replace('{version}', '0'.repeat(32))}?api-version=7.4`;
    for (const authorization of tokens) {
      const answer = await send(client.vaultUrl, { method, target, headers: authorization ? { authorization } : {}, body: ['GET', 'DELETE'].includes(method) ? '' : '{}' });
      mustBeRefused(answer, `${method} ${pattern} as ${String(authorization).slice(0, 20)}`, [401]);
      must(/^Bearer authorization=/.test(answer.headers['www-authenticate']), 'a challenge');
    }
  });
});
await step('vaults_as_resources_refuse_what_is_none', async () => {
  const origin = `https://127.0.0.1:${ports['workspace-port']}`;
  const arm = (method, target, body) => send(origin, { method, target, headers: { authorization: armToken, 'content-type': 'application/json' }, body });
  const base = `/subscriptions/${client.subscription}/resourceGroups/hostile/providers/Microsoft.KeyVault/vaults`;
  must((await arm('PUT', `/subscriptions/${client.subscription}/resourcegroups/hostile?api-version=2022-09-01`, '{"location":"local"}')).status < 300, 'a group');
  equal((await arm('POST', `/subscriptions/${client.subscription}/providers/Microsoft.KeyVault/register?api-version=2022-09-01`)).status, 200, 'the provider');
  const body = { location: 'local', tags: { a: 'b' }, properties: { tenantId: client.tenant, sku: { family: 'A', name: 'standard' }, accessPolicies: [{ tenantId: client.tenant, objectId: client.objectId, permissions: { keys: ['get'] } }],
    enableRbacAuthorization: false, softDeleteRetentionInDays: 7, networkAcls: { defaultAction: 'Allow', ipRules: [{ value: '10.0.0.0/8' }] } } };
  for (const [what, text] of Object.entries(notJson)) mustBeRefused(await arm('PUT', `${base}/hostile-v?api-version=2023-07-01`, text), what, [400, 413]);
  for (const { where, kind, other } of spoiled(body)) {
    const answer = await arm('PUT', `${base}/hostile-v?api-version=2023-07-01`, JSON.stringify(withOther(body, where, other)));
    must(answer.status < 500, `${where.join('.')} ${kind}: ${answer.status} ${answer.text.slice(0, 200)}`);
    if (answer.status >= 300) must(isAzureError(answer), `${where.join('.')} ${kind}: ${answer.text.slice(0, 200)}`);
  }
  for (const each_ of ['%2e%2e', 'a%2fb', '%00', 'x', '1a-b', 'a--b', 'a'.repeat(25), '%', '%c3%a9abc']) mustBeRefused(await arm('PUT', `${base}/${each_}?api-version=2023-07-01`, JSON.stringify(body)), each_, [400, 404]);
  await arm('DELETE', `${base}/hostile-v?api-version=2023-07-01`);
  for (const end of ['?api-version=1', '?api-version=%00', '']) mustBeRefused(await arm('GET', `${base}${end}`), `vaults${end}`, [400, 404]);
});
await step('device_codes_and_their_page_refuse_what_is_none', async () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const isOAuth = ({ text }) => { const error = parsed(text); return typeof error?.error === 'string' && /^AADSTS\d+: /.test(error.error_description); };
  for (const body of ['', '=', '&&', 'client_id=%', 'client_id=%zz&scope=x', 'client_id=%00&scope=x', `client_id=${'a'.repeat(9000)}&scope=x`, 'client_id=a&client_id=b&scope=x', '{"client_id":"a"}']) {
    for (const target of [`/${client.tenant}/oauth2/v2.0/devicecode`, `/${client.tenant}/oauth2/devicecode`]) mustBeRefused(await send(client.authority, { method: 'POST', target, headers: form, body }), `${target}: ${body.slice(0, 20)}`, [400, 401, 413], isOAuth);
  }
  for (const body of ['', '=', 'user_code=%', 'user_code=%00', `user_code=${'A'.repeat(9000)}`, 'user_code=<script>alert(1)</script>', 'step=x&user_code=ABCDEFGH']) {
    const answer = await send(client.authority, { method: 'POST', target: '/devicelogin', headers: { ...form, origin: client.authority }, body });
    must(answer.status >= 200 && answer.status < 500, `page, ${body.slice(0, 20)}: ${answer.status}`);
    must(!answer.text.includes('<script>alert'), 'nothing of what was sent is a script');
    must(answer.status >= 400 || /text\/html/.test(answer.headers['content-type']), `a page: ${answer.headers['content-type']}`);
  }
  const foreign = await send(client.authority, { method: 'POST', target: '/devicelogin', headers: { ...form, origin: 'https://evil.example' }, body: 'user_code=ABCDEFGH' });
  must(foreign.status >= 400 && foreign.status < 500, `another site's form: ${foreign.status}`);
  for (const target of ['/devicelogin?user_code=%00', `/devicelogin?${'a=b&'.repeat(1000)}`, '/devicelogin/%2e%2e/x', '/devicelogin?user_code="><img>']) {
    const answer = await send(client.authority, { target });
    must(answer.status < 500 && !answer.text.includes('"><img>'), `${target.slice(0, 40)}: ${answer.status}`);
  }
});
await step('metadata_endpoint_refuses_what_is_none', async () => {
  const place = /^imds-listen ?= ?(\S+)$/m.exec(fs.readFileSync(path.join(state, 'strongroom.conf'), 'utf8'))?.[1];
  must(place, 'a metadata endpoint');
  const isShape = ({ text }) => { const error = parsed(text); return typeof error?.error === 'string' && typeof error.error_description === 'string'; };
  const token = '/metadata/identity/oauth2/token?api-version=2018-02-01';
  const targets = [token, `${token}&resource=`, `${token}&resource=%`, `${token}&resource=%00`, `${token}&resource=${'a'.repeat(5000)}`, `${token}&resource=https://vault.azure.net&resource=https://storage.azure.com`, `${token}&resource=https://vault.azure.net&client_id=%00`,
    `${token}&resource=https://vault.azure.net&client_id=x&object_id=y`, '/metadata/identity/oauth2/token?resource=https://vault.azure.net', '/metadata/identity/oauth2/token?api-version=1&resource=https://vault.azure.net', '/metadata/%2e%2e/identity', '/metadata/identity/oauth2/token/x', '/'];
  for (const target of targets) mustBeRefused(await send(`http://${place}`, { target, headers: { metadata: 'true' } }), target.slice(0, 80), [400, 404, 414], isShape);
  const whole = `${token}&resource=https://vault.azure.net`;
  for (const headers of [{}, { metadata: 'false' }, { metadata: 'TRUE x' }, { metadata: 'true', 'x-forwarded-for': '1.2.3.4' }]) mustBeRefused(await send(`http://${place}`, { target: whole, headers }), JSON.stringify(headers), [400], isShape);
  for (const method of ['POST', 'PUT', 'DELETE']) mustBeRefused(await send(`http://${place}`, { method, target: whole, headers: { metadata: 'true' } }), method, [400, 404, 405], isShape);
});
await step('what_was_made_on_the_way_is_removed_and_nobody_was_hurt', async () => {
  for (const collection of ['certificates', 'keys', 'secrets']) {
    await vault('DELETE', `/${collection}/${name}?api-version=7.4`);
    await vault('DELETE', `/deleted${collection}/${name}?api-version=7.4`);
  }
  await vault('DELETE', `/certificates/issuers/${name}?api-version=7.4`);
  await vault('DELETE', '/certificates/contacts?api-version=7.4');
  equal(processes(), before, 'processes and restarts');
});
finish();

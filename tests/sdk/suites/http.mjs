// Hostile HTTP on raw sockets: every service refuses it with the right status in its own words, and goes on serving.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { suite, step, finish, must, equal, installation, credential, raw, sleep, unique } from '../steps.mjs';
import { Conversation, say } from '../wire.mjs';

suite('http');
const { client } = installation;
const MiB = 1 << 20;
const account = installation.json(['account', 'create', `http${unique()}`]);
const bearer = async (scope) => `Bearer ${(await credential().getToken(scope)).token}`;
const storage = `authorization: ${await bearer('https://storage.azure.com/.default')}\r\nx-ms-version: 2024-08-04\r\n`;
const vaultToken = `authorization: ${await bearer('https://vault.azure.net/.default')}\r\n`;
const servicesNow = () => JSON.parse(fs.readFileSync(path.join(installation.state, 'run', 'services.json'), 'utf8')).services.map(({ service, pid, restarts, state }) => `${service} ${pid} ${restarts} ${state}`).join();
const servicesBefore = servicesNow();

/** A service, where it is, and whether a body is an error as it writes them. */
const services = [
  { name: 'identity', origin: client.authority, isError: (body) => { const error = JSON.parse(body); return typeof error.error === 'string' && /^AADSTS\d+: /.test(error.error_description) && Array.isArray(error.error_codes); } },
  { name: 'vault', origin: client.vaultUrl, isError: (body) => { const { error } = JSON.parse(body); return typeof error.code === 'string' && typeof error.message === 'string'; } },
  { name: 'blob', origin: client.blobEndpoint, isError: (body) => /^\ufeff?<\?xml version="1\.0" encoding="utf-8"\?><Error><Code>\w+<\/Code><Message>[^<]+<\/Message>.*<\/Error>$/s.test(body) },
];
const blob = services[2];
const host = (service) => new URL(service.origin).host;
const request = (service, line, headers = '', body = '') => `${line} HTTP/1.1\r\nhost: ${host(service)}\r\n${headers}\r\n${body}`;

function mustBeError(service, answer, statuses, what) {
  must([statuses].flat().includes(answer.status), `${service.name}, ${what}: ${statuses}, not ${answer.status}`);
  let isError = false;
  try {
    isError = service.isError(answer.body);
  } catch { /* it is none */ }
  must(isError, `${service.name}, ${what}: an error body, not ${JSON.stringify(answer.body.slice(0, 120))}`);
}
/** The message gets one answer of these statuses, and the connection ends: what came behind it is no request. */
async function mustRefuseAndClose(service, message, statuses, what) {
  const conversation = await Conversation.open(service.origin);
  try {
    conversation.send(message);
    mustBeError(service, await conversation.answer(), statuses, what);
    equal((await conversation.rest()).length, 0, `${service.name}, ${what}: bytes behind the answer`);
  } finally {
    conversation.close();
  }
}

const smuggled = 'GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n';
/** Heads that are none; H stands for the Host header's line. */
const malformed = {
  no_host: 'GET / HTTP/1.1\r\n\r\n',
  two_hosts: 'GET / HTTP/1.1\r\nH\r\nhost: other\r\n\r\n',
  http_0_9: 'GET /\r\n\r\n',
  http_2_0: 'GET / HTTP/2.0\r\nH\r\n\r\n',
  http_1_2: 'GET / HTTP/1.2\r\nH\r\n\r\n',
  http_11: 'GET / HTTP/11\r\nH\r\n\r\n',
  lowercase_http: 'GET / http/1.1\r\nH\r\n\r\n',
  http2_preface: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  two_spaces: 'GET  / HTTP/1.1\r\nH\r\n\r\n',
  tab_for_space: 'GET\t/ HTTP/1.1\r\nH\r\n\r\n',
  space_behind_version: 'GET / HTTP/1.1 \r\nH\r\n\r\n',
  space_in_target: 'GET /a b HTTP/1.1\r\nH\r\n\r\n',
  no_target: 'GET HTTP/1.1\r\nH\r\n\r\n',
  relative_target: 'GET keys HTTP/1.1\r\nH\r\n\r\n',
  high_byte_in_target: 'GET /\xff HTTP/1.1\r\nH\r\n\r\n',
  control_in_target: 'GET /\x01 HTTP/1.1\r\nH\r\n\r\n',
  unknown_method: 'BREW / HTTP/1.1\r\nH\r\n\r\n',
  lowercase_method: 'get / HTTP/1.1\r\nH\r\n\r\n',
  connect: 'CONNECT example.org:443 HTTP/1.1\r\nH\r\n\r\n',
  binary: '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n',
  no_colon: 'GET / HTTP/1.1\r\nH\r\nnonsense\r\n\r\n',
  empty_name: 'GET / HTTP/1.1\r\nH\r\n: value\r\n\r\n',
  space_before_colon: 'GET / HTTP/1.1\r\nH\r\nx-ms-date : now\r\n\r\n',
  space_in_name: 'GET / HTTP/1.1\r\nH\r\nx ms: now\r\n\r\n',
  high_byte_in_name: 'GET / HTTP/1.1\r\nH\r\nx\xe9: now\r\n\r\n',
  folded: 'GET / HTTP/1.1\r\nH\r\nx-a: b\r\n  c\r\n\r\n',
  folded_first: 'GET / HTTP/1.1\r\n H\r\n\r\n',
  bare_lf: 'GET / HTTP/1.1\nH\n\n',
  bare_lf_in_header: 'GET / HTTP/1.1\r\nH\r\nx-a: b\nx-c: d\r\n\r\n',
  bare_cr_in_value: 'GET / HTTP/1.1\r\nH\r\nx-a: b\rc\r\n\r\n',
  bare_cr_in_line: 'GET /\r HTTP/1.1\r\nH\r\n\r\n',
  nul_in_value: 'GET / HTTP/1.1\r\nH\r\nx-a: b\0c\r\n\r\n',
  nul_in_name: 'GET / HTTP/1.1\r\nH\r\nx\0a: b\r\n\r\n',
  nul_in_target: 'GET /\0 HTTP/1.1\r\nH\r\n\r\n',
  control_in_value: 'GET / HTTP/1.1\r\nH\r\nx-a: \x07\r\n\r\n',
  host_with_path: 'GET / HTTP/1.1\r\nhost: a/b\r\n\r\n',
  host_with_user: 'GET / HTTP/1.1\r\nhost: a@b\r\n\r\n',
  host_with_bad_port: 'GET / HTTP/1.1\r\nhost: a:b\r\n\r\n',
  length_and_chunked: 'POST / HTTP/1.1\r\nH\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  chunked_and_length: 'POST / HTTP/1.1\r\nH\r\ntransfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n',
  two_lengths: 'POST / HTTP/1.1\r\nH\r\ncontent-length: 0\r\ncontent-length: 36\r\n\r\n',
  same_length_twice: 'POST / HTTP/1.1\r\nH\r\ncontent-length: 0\r\ncontent-length: 0\r\n\r\n',
  listed_lengths: 'POST / HTTP/1.1\r\nH\r\ncontent-length: 0, 0\r\n\r\n',
  negative_length: 'POST / HTTP/1.1\r\nH\r\ncontent-length: -1\r\n\r\n',
  plus_length: 'POST / HTTP/1.1\r\nH\r\ncontent-length: +0\r\n\r\n',
  hex_length: 'POST / HTTP/1.1\r\nH\r\ncontent-length: 0x0\r\n\r\n',
  exponent_length: 'POST / HTTP/1.1\r\nH\r\ncontent-length: 1e3\r\n\r\n',
  spaced_length: 'POST / HTTP/1.1\r\nH\r\ncontent-length: 0 0\r\n\r\n',
  empty_length: 'POST / HTTP/1.1\r\nH\r\ncontent-length:\r\n\r\n',
  length_2_63: 'POST / HTTP/1.1\r\nH\r\ncontent-length: 9223372036854775808\r\n\r\n',
  length_2_64: 'POST / HTTP/1.1\r\nH\r\ncontent-length: 18446744073709551616\r\n\r\n',
  length_huge: `POST / HTTP/1.1\r\nH\r\ncontent-length: ${'9'.repeat(60)}\r\n\r\n`,
  coding_gzip: 'POST / HTTP/1.1\r\nH\r\ntransfer-encoding: gzip\r\n\r\n',
  coding_gzip_chunked: 'POST / HTTP/1.1\r\nH\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  coding_chunked_gzip: 'POST / HTTP/1.1\r\nH\r\ntransfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n',
  coding_chunked_twice: 'POST / HTTP/1.1\r\nH\r\ntransfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n',
  coding_two_headers: 'POST / HTTP/1.1\r\nH\r\ntransfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n',
  coding_xchunked: 'POST / HTTP/1.1\r\nH\r\ntransfer-encoding: xchunked\r\n\r\n',
  coding_vertical_tab: 'POST / HTTP/1.1\r\nH\r\ntransfer-encoding: \x0bchunked\r\n\r\n',
  coding_empty: 'POST / HTTP/1.1\r\nH\r\ntransfer-encoding:\r\n\r\n',
  coding_in_1_0: 'POST / HTTP/1.0\r\nH\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
};
for (const service of services) {
  await step(`${service.name}.malformed_heads_are_refused_and_nothing_behind_them_is_read`, async () => {
    for (const [what, head] of Object.entries(malformed)) {
      await mustRefuseAndClose(service, head.replace(/^( ?)H(\r?\n)/m, `$1host: ${host(service)}$2`) + smuggled, 400, what);
    }
  });
  await step(`${service.name}.absurd_sizes_are_refused`, async () => {
    await mustRefuseAndClose(service, request(service, 'GET /', `x-large: ${'a'.repeat(65536)}\r\n`), 431, 'a header of 64 KiB');
    await mustRefuseAndClose(service, request(service, 'GET /', 'x-many: 1\r\n'.repeat(3000)), 431, '3,000 headers');
    await mustRefuseAndClose(service, `GET / HTTP/1.1\r\nx-endless: ${'a'.repeat(MiB)}`, 431, 'a header without end');
    await mustRefuseAndClose(service, request(service, `GET /${'a'.repeat(20000)}`), 414, 'a target of 20,000 bytes');
    await mustRefuseAndClose(service, `GET /${'a'.repeat(MiB)}`, 414, 'a target without end');
  });
  await step(`${service.name}.tricky_paths_lead_nowhere`, async () => {
    const paths = ['/../../../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/..%2f..%2fetc%2fpasswd', '/%00', '/a%00b/c', '/%', '/%4', '/%zz', '///etc/passwd', `/${'a/'.repeat(4000)}`,
      '/%c0%ae%c0%ae/', '/%ff%fe', '/\\..\\..', '/;/../', '/_strongroom/status', '/_strongroom/principals', '/%5fstrongroom/status', '*', 'http:///', 'http://[/', 'https://a:99999/'];
    for (const target of paths) {
      const answer = await say(service.origin, request(service, `GET ${target}`, service.name === 'blob' ? storage : service.name === 'vault' ? vaultToken : ''));
      mustBeError(service, answer, [400, 401, 403, 404, 405, 409, 413, 414], target.slice(0, 40));
    }
  });
  await step(`${service.name}.pipelined_requests_are_answered_in_order`, async () => {
    const conversation = await Conversation.open(service.origin);
    conversation.send([...Array(40)].map((_, i) => request(service, `GET /pipelined-${i}`, `x-ms-client-request-id: ${i}\r\nclient-request-id: ${i}\r\n`)).join(''));
    for (let i = 0; i < 40; i++) {
      const answer = await conversation.answer();
      mustBeError(service, answer, [400, 401, 403, 404], `request ${i}`);
      const echoed = answer.headers['x-ms-client-request-id'];
      must(echoed === undefined || echoed === String(i), `answer ${i} is for ${echoed}`);
    }
    conversation.close();
  });
  await step(`${service.name}.head_has_no_body`, async () => {
    const conversation = await Conversation.open(service.origin);
    conversation.send(request(service, 'HEAD /nothing') + request(service, 'GET /nothing'));
    const head = await conversation.answer({ hasBody: false });
    must(head.status >= 400 && head.status < 500, `HEAD: ${head.status}`);
    mustBeError(service, await conversation.answer(), head.status === 405 ? [404, 400, 401] : head.status, 'GET behind HEAD');
    conversation.close();
  });
  await step(`${service.name}.slow_and_idle_clients_hold_nobody_up`, async () => {
    const idle = await Promise.all([...Array(200)].map(() => Conversation.open(service.origin)));
    const slow = await Promise.all([...Array(50)].map(() => Conversation.open(service.origin)));
    const dripped = Buffer.from(request(service, 'POST /drip', 'content-length: 1000\r\n', 'x'.repeat(1000)));
    let at = 0;
    const drip = setInterval(() => { for (const one of slow) one.send(dripped.subarray(at, at + 1)); at++; }, 20);
    try {
      let slowest = 0;
      await Promise.all([...Array(50)].map(async () => {
        const conversation = await Conversation.open(service.origin);
        for (let i = 0; i < 20; i++) {
          const from = performance.now();
          mustBeError(service, await conversation.send(request(service, 'GET /active')).answer(), [400, 401, 403, 404], 'an active client');
          slowest = Math.max(slowest, performance.now() - from);
        }
        conversation.close();
      }));
      must(slowest < 3000, `the slowest of 1,000 requests among slow clients took ${slowest.toFixed(0)} ms`);
      must(idle.every((one) => !one.ended), 'idle connections stay open');
    } finally {
      clearInterval(drip);
      for (const one of [...idle, ...slow]) one.close();
    }
  });
}

const container = `/${account.name}/http`;
const put = (name, headers, body = '') => request(blob, `PUT ${container}/${name}`, `${storage}x-ms-blob-type: BlockBlob\r\n${headers}`, body);
const get = (name) => request(blob, `GET ${container}/${name}`, storage);
const list = async () => [...(await say(blob.origin, request(blob, `GET ${container}?restype=container&comp=list`, storage))).body.matchAll(/<Name>([^<]*)<\/Name>/g)].map((match) => match[1]).sort();
await step('blob.container', async () => {
  equal((await say(blob.origin, request(blob, `PUT ${container}?restype=container`, `${storage}content-length: 0\r\n`))).status, 201, 'created');
});
await step('blob.pipelined_uploads_and_downloads_keep_their_bytes', async () => {
  const conversation = await Conversation.open(blob.origin);
  conversation.send(put('counted', 'content-length: 5\r\n', 'first') + put('chunked', 'transfer-encoding: chunked\r\n', '3\r\nsec\r\n3;ext=1\r\nond\r\n0\r\ntrailer: x\r\n\r\n') + get('counted') + get('chunked'));
  const statuses = [(await conversation.answer()).status, (await conversation.answer()).status];
  if (statuses[1] === 201) {
    equal((await conversation.answer()).body, 'first', 'counted');
    equal((await conversation.answer()).body, 'second', 'chunked');
  }
  must(statuses[0] === 201 && [201, 411].includes(statuses[1]), `statuses ${statuses}`);
  conversation.close();
});
await step('blob.broken_chunks_are_refused_and_nothing_behind_them_is_read', async () => {
  const broken = { no_size: '\r\n', letters: 'xyz\r\n', negative: '-1\r\n', prefixed: '0x1\r\na\r\n', too_large: 'fffffffffffffffff\r\n', signed_overflow: '8000000000000000\r\n', spaced: '1 \r\na\r\n', bare_lf: '1\na\r\n', longer_data: '1\r\nab\r\n0\r\n\r\n',
    nul: '1\0\r\na\r\n0\r\n\r\n', bare_cr: '1\ra\r\n0\r\n\r\n', endless_extension: `1;${'e'.repeat(20000)}`, endless_trailer: `0\r\nx: ${'t'.repeat(20000)}` };
  for (const [what, body] of Object.entries(broken)) await mustRefuseAndClose(blob, put('broken', 'transfer-encoding: chunked\r\n', body + smuggled), [400, 411], what);
  must(!(await list()).includes('broken'), 'no blob of a broken body');
});
await step('blob.absurd_bodies_are_refused_unread', async () => {
  for (const length of ['9223372036854775807', '6000000000000']) {
    const answer = await say(blob.origin, put('absurd', `content-length: ${length}\r\n`));
    mustBeError(blob, answer, 413, `a body of ${length} bytes`);
  }
  must(!(await list()).includes('absurd'), 'no blob');
});
await step('blob.continue_is_said_only_where_a_body_is_wanted', async () => {
  const wanted = await Conversation.open(blob.origin);
  wanted.send(put('continued', 'content-length: 4\r\nexpect: 100-continue\r\n'));
  equal((await wanted.answer()).status, 100, 'first');
  equal((await wanted.send('body').answer()).status, 201, 'then');
  equal((await wanted.send(get('continued')).answer()).body, 'body', 'content');
  wanted.close();
  const refused = await say(blob.origin, request(blob, `PUT ${container}/refused`, 'x-ms-version: 2024-08-04\r\nauthorization: Bearer none\r\nx-ms-blob-type: BlockBlob\r\ncontent-length: 4\r\nexpect: 100-continue\r\n'));
  mustBeError(blob, refused, [401, 403], 'no right');
  const odd = await say(blob.origin, put('odd', 'content-length: 0\r\nexpect: 200-maybe\r\n'));
  must([201, 417].includes(odd.status), `an unknown expectation: ${odd.status}`);
});
function* filesUnder(dir) {
  for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) yield* filesUnder(path.join(dir, entry.name));
    else yield path.join(dir, entry.name);
  }
}
await step('blob.abandoned_upload_leaves_nothing', async () => {
  const before = [...filesUnder(path.join(installation.state, 'blob'))].sort().join('\n');
  for (const framing of ['content-length: 8388608\r\n', 'transfer-encoding: chunked\r\n']) for (const sent of [0, 1, 100000, 3 * MiB]) {
    const conversation = await Conversation.open(blob.origin);
    conversation.send(put('abandoned', framing)).send(framing.startsWith('t') ? '800000\r\n' : '').send(crypto.randomBytes(sent));
    await sleep(sent > MiB ? 200 : 20);
    conversation.close();
  }
  must(!(await list()).includes('abandoned'), 'no blob');
  let after;
  for (let i = 0; i < 50; i++) {
    after = [...filesUnder(path.join(installation.state, 'blob'))].sort().join('\n');
    if (after === before) break;
    await sleep(100);
  }
  equal(after, before, 'files under the state directory');
});
await step('blob.bodies_that_lie_are_refused', async () => {
  const md5 = crypto.createHash('md5').update('other').digest('base64');
  const code = (answer, status, wanted) => { mustBeError(blob, answer, status, wanted); equal(answer.headers['x-ms-error-code'], wanted, 'code'); must(answer.body.includes(`<Code>${wanted}</Code>`), `${wanted} in the body`); };
  code(await say(blob.origin, put('lie', `content-length: 4\r\ncontent-md5: ${md5}\r\n`, 'body')), 400, 'Md5Mismatch');
  code(await say(blob.origin, put('lie', 'content-length: 4\r\ncontent-md5: not base64!\r\n', 'body')), 400, 'InvalidMd5');
  code(await say(blob.origin, put('lie', 'content-length: 4\r\ncontent-md5: AAAA\r\n', 'body')), 400, 'InvalidMd5');
  code(await say(blob.origin, put('lie?comp=block&blockid=%21%21', 'content-length: 4\r\n', 'body')), 400, 'InvalidQueryParameterValue');
  must(!(await list()).includes('lie'), 'no blob');
});
await step('blob.hostile_xml_is_refused', async () => {
  const laughs = `<!DOCTYPE l [<!ENTITY a "lol">${[...'bcdefghij'].map((name, i) => `<!ENTITY ${name} "${`&${'abcdefghij'[i]};`.repeat(10)}">`).join('')}]><BlockList><Latest>&j;</Latest></BlockList>`;
  const bodies = { truncated: '<?xml version="1.0"?><BlockList><Latest>AAAA', empty: '', text: 'not xml', two_roots: '<BlockList/><BlockList/>', unbalanced: '<BlockList><Latest></BlockList></Latest>', nul: '<BlockList>\0</BlockList>',
    file_entity: '<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]><BlockList><Latest>&x;</Latest></BlockList>', external_dtd: '<!DOCTYPE l SYSTEM "http://127.0.0.1:9/x.dtd"><BlockList/>', parameter_entity: '<!DOCTYPE l [<!ENTITY % x SYSTEM "file:///etc/passwd">%x;]><BlockList/>',
    laughs, undefined_entity: '<BlockList><Latest>&nope;</Latest></BlockList>', xinclude: '<BlockList xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd"/></BlockList>', deep: '<a>'.repeat(20000),
    invalid_utf8: '<BlockList><Latest>\xff\xfe</Latest></BlockList>', wrong_root: '<Blocks><Latest>AAAA</Latest></Blocks>', unknown_child: '<BlockList><Newest>AAAA</Newest></BlockList>' };
  for (const [what, body] of Object.entries(bodies)) {
    const from = performance.now();
    const answer = await say(blob.origin, put('xml?comp=blocklist', `content-length: ${body.length}\r\n`, body));
    mustBeError(blob, answer, 400, what);
    must(!answer.body.includes('root:'), `${what}: nothing of /etc/passwd`);
    must(performance.now() - from < 2000, `${what}: refused in ${(performance.now() - from).toFixed(0)} ms`);
    if (!['empty', 'unknown_child'].includes(what)) mustBeError(blob, await say(blob.origin, request(blob, `PUT /${account.name}?restype=service&comp=properties`, `${storage}content-length: ${body.length}\r\n`, body)), 400, `${what} as service properties`);
  }
  must(!(await list()).includes('xml'), 'no blob');
});
await step('vault.hostile_json_is_refused', async () => {
  const bodies = { truncated: '{"kty":"RSA"', text: 'nonsense', array: '[]', string: '"RSA"', number: '1', two: '{"kty":"RSA"}{}', trailing_comma: '{"kty":"RSA",}', deep: '['.repeat(100000), deep_objects: '{"a":'.repeat(20000), invalid_utf8: '{"kty":"\xff"}', nul: '{"kty":"RSA\0"}',
    escaped_nul: '{"kty":"RSA\\u0000"}', lone_surrogate: '{"kty":"\\ud800"}', nan: '{"kty":NaN}', single_quotes: "{'kty':'RSA'}", huge_number: `{"kty":"RSA","key_size":${'9'.repeat(400)}}`, wrong_type: '{"kty":7}', null_type: '{"kty":null}', float_size: '{"kty":"RSA","key_size":2048.5}',
    negative_size: '{"kty":"RSA","key_size":-2048}', huge_key: '{"kty":"RSA","key_size":1000000}', wrong_operations: '{"kty":"RSA","key_ops":"all"}', wrong_attributes: '{"kty":"RSA","attributes":[]}', twice: '{"kty":"RSA","kty":"EC"}', comment: '{/**/"kty":"RSA"}', byte_order_mark: '\xef\xbb\xbf[]' };
  for (const [what, body] of Object.entries(bodies)) {
    const answer = await say(client.vaultUrl, request(services[1], 'POST /keys/hostile/create?api-version=7.4', `${vaultToken}content-type: application/json\r\ncontent-length: ${body.length}\r\n`, body));
    mustBeError(services[1], answer, 400, what);
  }
  mustBeError(services[1], await say(client.vaultUrl, request(services[1], 'POST /keys/hostile/create?api-version=7.4', `${vaultToken}content-length: 100000000\r\n`, '{')), [400, 413], 'a body of 100 MB');
  mustBeError(services[1], await say(client.vaultUrl, request(services[1], 'GET /keys/hostile?api-version=7.4', vaultToken)), 404, 'no key was made');
  for (const value of ['!!!!', '====', 'AA=A', 'é', 'A'.repeat(60000)]) {
    const body = JSON.stringify({ value });
    mustBeError(services[1], await say(client.vaultUrl, request(services[1], 'POST /keys/restore?api-version=7.4', `${vaultToken}content-length: ${Buffer.byteLength(body)}\r\n`, Buffer.from(body).toString('latin1'))), 400, `a backup of ${value.slice(0, 8)}`);
  }
});
await step('identity.hostile_forms_are_refused', async () => {
  const identity = services[0];
  const post = (body, type = 'application/x-www-form-urlencoded') => say(identity.origin, request(identity, `POST /${client.tenant}/oauth2/v2.0/token`, `content-type: ${type}\r\ncontent-length: ${body.length}\r\n`, body));
  for (const body of ['', '&&&&', '=', 'grant_type', 'grant_type=%', 'grant_type=%zz', 'grant_type=client_credentials&grant_type=password', `grant_type=client_credentials&client_id=${client.clientId}&client_secret=%00&scope=https://vault.azure.net/.default`,
    `grant_type=client_credentials&client_id=${'a'.repeat(10000)}&client_secret=x&scope=y`, 'grant_type=client_credentials&client_id=%ff&client_secret=%ff&scope=%ff', `${'a=b&'.repeat(5000)}`, '{"grant_type":"client_credentials"}']) {
    mustBeError(identity, await post(body), [400, 401, 413], body.slice(0, 60));
  }
  mustBeError(identity, await post('{"grant_type":"client_credentials"}', 'application/json'), [400, 415], 'JSON');
  mustBeError(identity, await say(identity.origin, request(identity, `POST /${client.tenant}/oauth2/v2.0/token`, 'content-type: application/x-www-form-urlencoded\r\ncontent-length: 100000000\r\n', 'a=b')), [400, 413], 'a form of 100 MB');
});
await step('no_service_was_hurt', async () => {
  equal(servicesNow(), servicesBefore, 'processes and restarts');
  equal((await raw(client.blobEndpoint, { path: `${container}?restype=container`, headers: Object.fromEntries(storage.trim().split('\r\n').map((line) => line.split(': '))) })).status, 200, 'blob still serves');
});
finish();

// Time from sending "disable" to its answer while the blob service cannot hear the vault: the lease's length bounds it.
// Runs in a network namespace of its own (unshare -Urn), where it may drop packets. Prints `cut MILLISECONDS` for each trial.
// usage: unshare -Urn node cut.mjs PROGRAM
import { execFileSync } from 'node:child_process';
import https from 'node:https';
import { Installation } from '../sdk/installation.mjs';

const trials = 5;
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
execFileSync('ip', ['link', 'set', 'lo', 'up']);
const installation = new Installation(process.argv[2]);
await installation.init();
await installation.serve();

/** Status of one read of the probe blob. */
function read(token) {
  return new Promise((resolve) => {
    const request = https.get(`${installation.client.blobEndpoint}/cut/data/probe`, { rejectUnauthorized: false, agent: false, headers: { authorization: `Bearer ${token}`, 'x-ms-version': '2021-12-02' } }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
      response.on('error', () => resolve(0));
    });
    request.on('error', () => resolve(0));
  });
}
function send(method, url, headers, body) {
  return new Promise((resolve, reject) => {
    const request = https.request(url, { method, rejectUnauthorized: false, agent: false, headers }, (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece));
      response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(pieces).toString() }));
    });
    request.on('error', reject);
    request.end(body);
  });
}
async function token(scope) {
  const { client } = installation;
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: client.clientId, client_secret: client.clientSecret, scope });
  const answer = await send('POST', `${client.authority}/${client.tenant}/oauth2/v2.0/token`, { 'content-type': 'application/x-www-form-urlencoded' }, form.toString());
  return JSON.parse(answer.body).access_token;
}
const nft = (...words) => execFileSync('nft', words);

try {
  const created = installation.json(['key', 'create', 'cut']);
  const version = created.key.kid.split('/').pop();
  const vault = { authorization: `Bearer ${await token('https://vault.azure.net/.default')}`, 'content-type': 'application/json' };
  installation.run(['account', 'create', 'cut', '--key', 'cut']);
  const storage = await token('https://storage.azure.com/.default');
  const headers = { authorization: `Bearer ${storage}`, 'x-ms-version': '2021-12-02' };
  await send('PUT', `${installation.client.blobEndpoint}/cut/data?restype=container`, { ...headers, 'content-length': 0 });
  await send('PUT', `${installation.client.blobEndpoint}/cut/data/probe`, { ...headers, 'x-ms-blob-type': 'BlockBlob', 'content-length': 5 }, 'probe');
  const port = installation.ports['vault-internal-port'];
  for (let i = 0; i < trials; i++) {
    for (let tries = 0; await read(storage) !== 200; tries++) {
      if (tries > 100) throw new Error('the probe is not readable before the cut');
      await sleep(100);
    }
    await sleep(Math.random() * 700);
    nft('add', 'table', 'inet', 'cut');
    nft('add', 'chain', 'inet', 'cut', 'input', '{ type filter hook input priority 0 ; }');
    nft('add', 'rule', 'inet', 'cut', 'input', 'tcp', 'dport', String(port), 'drop');
    nft('add', 'rule', 'inet', 'cut', 'input', 'tcp', 'sport', String(port), 'drop');
    const from = performance.now();
    const answer = await send('PATCH', `${installation.client.vaultUrl}/keys/cut/${version}?api-version=7.4`, vault, '{"attributes":{"enabled":false}}');
    const took = performance.now() - from;
    if (answer.status !== 200) throw new Error(`disable: ${answer.status} ${answer.body}`);
    const after = await read(storage);
    if (after === 200) throw new Error('readable after the answer');
    console.log(`cut ${took.toFixed(1)}`);
    nft('delete', 'table', 'inet', 'cut');
    installation.run(['key', 'enable', 'cut']);
  }
} catch (error) {
  console.error(error);
  console.error(installation.log.slice(-3000));
  process.exitCode = 1;
} finally {
  await installation.stop();
  installation.remove();
}

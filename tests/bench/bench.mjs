// Every speed that is promised, measured beside its peer in one run: median of five, ours and the peer's in turn.
// Prints: bench NAME ours VALUE UNIT  peer NAME VALUE UNIT  ratio R  floor F  ok|short      and exits 0 whatever falls short.
// usage: node bench.mjs PROGRAM         ONLY=get-4k-nginx,memory chooses; ROUNDS=5
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { Installation, freePorts, rerunTrusting, runningInstallation } from '../sdk/installation.mjs';
import { Token } from '../sdk/softhsm.mjs';
import { loopRate, opensslRate, unwrapRequest } from './unwrap.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const sdk = path.join(here, '..', 'sdk');
const rounds = Number(process.env.ROUNDS ?? 5);
const only = process.env.ONLY?.split(',');
const MiB = 1 << 20;
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const wants = (...names) => !only || names.some((name) => only.includes(name));

function line(name, ours, unit, peer, theirs, ratio, floor, ok) {
  const number = (value) => (value >= 100 ? value.toFixed(0) : value.toFixed(2));
  console.log(`bench ${name} ours ${number(ours)} ${unit}  peer ${peer} ${number(theirs)} ${unit}  ratio ${ratio.toFixed(2)}  floor ${floor}  ${ok ? 'ok' : 'short'}`);
}
/** Higher is better: ours as a multiple of the peer's. */
const rateLine = (name, ours, unit, peer, theirs, floor) => line(name, ours, unit, peer, theirs, ours / theirs, floor, ours / theirs >= floor);
/** Lower is better: a limit is the peer. */
const limitLine = (name, ours, unit, limit) => line(name, ours, unit, 'limit', limit, ours / limit, 1, ours < limit);

function wrk(url, { seconds = 3, connections = 64, headers = {}, script } = {}) {
  const args = ['-t2', `-c${connections}`, `-d${seconds}s`, ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])];
  if (script) args.push('-s', script);
  const output = execFileSync('wrk', [...args, url], { encoding: 'utf8' });
  const failures = /Non-2xx or 3xx responses: (\d+)/.exec(output);
  if (failures) throw new Error(`wrk: ${failures[1]} requests to ${new URL(url).pathname} failed`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(output)[1]);
}
function curlRate(url, headers = {}) {
  const args = ['-sk', '-o', '/dev/null', '-w', '%{http_code} %{speed_download}', ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]), url];
  const [status, speed] = execFileSync('curl', args, { encoding: 'utf8' }).split(' ');
  if (status !== '200') throw new Error(`curl: ${status} from ${new URL(url).pathname}`);
  return Number(speed) / 1e6;
}
/** Measures ours and the peer's in turn; gives both medians. */
async function inTurn(ours, theirs) {
  const a = [];
  const b = [];
  for (let i = 0; i < rounds; i++) {
    a.push(await ours(i));
    b.push(await theirs(i));
  }
  return [median(a), median(b)];
}

/** Peers: nginx serving plain files over TLS, and Azurite over https. Both on loopback, ended by their process ids. */
class Peers {
  /** A certificate for both, and one file that trusts it beside our own CA. */
  static certify(dir, ourCa) {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem', '-out', 'cert.pem', '-days', '2', '-subj', '/CN=localhost',
      '-addext', 'subjectAltName=IP:127.0.0.1'], { cwd: dir, stdio: 'ignore' });
    const both = path.join(dir, 'trusted.pem');
    fs.writeFileSync(both, Buffer.concat([fs.readFileSync(ourCa), fs.readFileSync(path.join(dir, 'cert.pem'))]));
    return both;
  }

  constructor(dir) {
    this.dir = dir;
    this.children = [];
  }

  async start() {
    const [nginxPort, azuritePort] = await freePorts(2);
    fs.mkdirSync(path.join(this.dir, 'www'));
    fs.chmodSync(this.dir, 0o755);
    fs.writeFileSync(path.join(this.dir, 'www', 'small'), Buffer.alloc(4096, 'x'));
    fs.writeFileSync(path.join(this.dir, 'www', 'large'), Buffer.alloc(256 * MiB, 'x'));
    fs.writeFileSync(path.join(this.dir, 'nginx.conf'), `
      daemon off; worker_processes ${os.cpus().length}; pid ${this.dir}/nginx.pid; error_log ${this.dir}/error.log; ${process.getuid() === 0 ? 'user root;' : ''}
      events { worker_connections 4096; }
      http {
        access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; keepalive_timeout 600;
        client_body_temp_path ${this.dir}/b; proxy_temp_path ${this.dir}/p; fastcgi_temp_path ${this.dir}/f; uwsgi_temp_path ${this.dir}/u; scgi_temp_path ${this.dir}/s;
        open_file_cache max=100; open_file_cache_valid 600s;
        server { listen 127.0.0.1:${nginxPort} ssl; ssl_certificate ${this.dir}/cert.pem; ssl_certificate_key ${this.dir}/key.pem; ssl_protocols TLSv1.3; root ${this.dir}/www; }
      }`);
    this.nginx = `https://127.0.0.1:${nginxPort}`;
    this.run('nginx', ['-c', `${this.dir}/nginx.conf`, '-p', this.dir]);
    this.azurite = `https://127.0.0.1:${azuritePort}/devstoreaccount1`;
    this.run(process.execPath, [path.join(here, 'node_modules', 'azurite', 'dist', 'src', 'blob', 'main.js'), '--blobHost', '127.0.0.1', '--blobPort', String(azuritePort), '--location', path.join(this.dir, 'azurite'),
      '--cert', path.join(this.dir, 'cert.pem'), '--key', path.join(this.dir, 'key.pem'), '--silent', '--skipApiVersionCheck', '--disableTelemetry']);
    await Promise.all([this.up(nginxPort), this.up(azuritePort)]);
  }

  run(program, args) {
    const child = spawn(program, args, { stdio: 'ignore' });
    this.children.push(child);
  }

  async up(port) {
    for (let i = 0; i < 200; i++) {
      const open = await new Promise((resolve) => { const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); }); socket.on('error', () => resolve(false)); });
      if (open) return;
      await sleep(100);
    }
    throw new Error(`no peer on port ${port}`);
  }

  async stop() {
    for (const child of this.children) child.kill('SIGTERM');
    await sleep(500);
    for (const child of this.children) if (child.exitCode === null) child.kill('SIGKILL');
  }
}

/** Writes a wrk script that PUTs 4 KiB blobs under ever new names. */
function putScript(dir, name, prefix, suffix, headers) {
  const file = path.join(dir, name);
  fs.writeFileSync(file, `
    local thread_number = 0
    function setup(thread) thread:set("id", thread_number) thread_number = thread_number + 1 end
    function init() body = string.rep("x", 4096) count = 0 run = tostring(os.time()) .. "-" .. tostring({}):sub(8) end
    function request()
      count = count + 1
      return wrk.format("PUT", "${prefix}" .. run .. "-" .. id .. "-" .. count .. "${suffix}", { ${Object.entries(headers).map(([key, value]) => `["${key}"] = "${value}"`).join(', ')} }, body)
    end`);
  return file;
}

/** What the processes take together: a page that several of them share (the program itself, its libraries) counts once. */
function residentMiB(pids) {
  return pids.reduce((sum, pid) => sum + Number(/^Pss:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]) / 1024, 0);
}

async function job(installation) {
  const { ClientSecretCredential } = await import(path.join(sdk, 'node_modules/@azure/identity/dist/esm/index.js'));
  const { KeyClient } = await import(path.join(sdk, 'node_modules/@azure/keyvault-keys/dist/esm/index.js'));
  const blobs = await import(path.join(sdk, 'node_modules/@azure/storage-blob/dist/esm/index.js'));
  const { client } = installation;
  const credential = new ClientSecretCredential(client.tenant, client.clientId, client.clientSecret, { authorityHost: client.authority, disableInstanceDiscovery: true });
  const keys = new KeyClient(client.vaultUrl, credential, { disableChallengeResourceVerification: true });
  const dir = process.argv[3];
  const peers = new Peers(dir);
  try {
    const key = await keys.createRsaKey('bench');
    if (wants('memory')) await memory(installation);
    if (wants('unwrap', 'unwrap-pkcs11')) await unwrap(installation, keys, credential, dir);
    if (wants('tokens')) await tokens(installation, dir);
    if (only?.every((name) => name.startsWith('unwrap') || name === 'tokens')) return;
    await peers.start();
    const account = installation.json(['account', 'create', 'bench', '--key', 'bench']);
    const ours = new blobs.BlobServiceClient(`${client.blobEndpoint}/bench`, new blobs.StorageSharedKeyCredential('bench', account.key1));
    const theirKey = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
    const theirCredential = new blobs.StorageSharedKeyCredential('devstoreaccount1', theirKey);
    const theirs = new blobs.BlobServiceClient(peers.azurite, theirCredential);
    for (const service of [ours, theirs]) {
      const container = service.getContainerClient('bench');
      await container.create();
      await container.getBlockBlobClient('small').upload(Buffer.alloc(4096, 'x'), 4096);
      await container.getBlockBlobClient('large').uploadData(Buffer.alloc(256 * MiB, 'x'), { blockSize: 8 * MiB });
    }
    const token = (await credential.getToken('https://storage.azure.com/.default')).token;
    const bearer = { Authorization: `Bearer ${token}`, 'x-ms-version': '2021-12-02' };
    const sas = blobs.generateAccountSASQueryParameters({ expiresOn: new Date(Date.now() + 86400e3), permissions: blobs.AccountSASPermissions.parse('rwdlac'), services: 'b', resourceTypes: 'sco',
      version: '2021-12-02' }, theirCredential).toString();
    const url = `${client.blobEndpoint}/bench/bench`;

    if (wants('get-4k-nginx')) {
      const [a, b] = await inTurn(() => wrk(`${url}/small`, { headers: bearer }), () => wrk(`${peers.nginx}/small`));
      rateLine('get-4k-nginx', a, 'requests/s', 'nginx', b, 0.4);
    }
    if (wants('secret-get')) {
      const vaultToken = (await credential.getToken('https://vault.azure.net/.default')).token;
      const headers = { Authorization: `Bearer ${vaultToken}` };
      execFileSync(process.argv[2], ['secret', 'set', 'bench', '--state', installation.state], { input: 'a secret of thirty-two characters' });
      const target = `${client.vaultUrl}/secrets/bench?api-version=7.4`;
      const length = Number(execFileSync('curl', ['-sk', '-o', '/dev/null', '-w', '%{size_download}', '-H', `Authorization: Bearer ${vaultToken}`, target], { encoding: 'utf8' }));
      fs.writeFileSync(path.join(dir, 'www', 'secret'), Buffer.alloc(length, 'x'));
      const perCore = [];
      const [a, b] = await inTurn(() => {
        const before = usedBy(installation, 'vault');
        const rate = wrk(target, { headers });
        perCore.push((rate * 3) / (usedBy(installation, 'vault') - before));
        return rate;
      }, () => wrk(`${peers.nginx}/secret`));
      line('secret-get', a, 'requests/s', 'nginx', b, a / b, 0.5, a / b >= 0.5 || median(perCore) >= 15000);
      line('secret-get-core', median(perCore), 'requests/s/core-by-processor-time', 'promised', 15000, median(perCore) / 15000, 1, median(perCore) >= 15000);
    }
    if (wants('get-4k-azurite')) {
      const [a, b] = await inTurn(() => wrk(`${url}/small`, { headers: bearer }), () => wrk(`${peers.azurite}/bench/small?${sas}`));
      rateLine('get-4k-azurite', a, 'requests/s', 'azurite', b, 12);
    }
    if (wants('put-4k-azurite')) {
      const ourScript = putScript(dir, 'ours.lua', '/bench/bench/p', '', { ...bearer, 'x-ms-blob-type': 'BlockBlob' });
      const theirScript = putScript(dir, 'theirs.lua', '/devstoreaccount1/bench/p', `?${sas}`, { 'x-ms-blob-type': 'BlockBlob', 'x-ms-version': '2021-12-02' });
      const [a, b] = await inTurn(() => wrk(url, { script: ourScript }), () => wrk(peers.azurite, { script: theirScript }));
      rateLine('put-4k-azurite', a, 'requests/s', 'azurite', b, 8);
    }
    if (wants('get-256m-nginx')) {
      const [a, b] = await inTurn(() => curlRate(`${url}/large`, bearer), () => curlRate(`${peers.nginx}/large`));
      rateLine('get-256m-nginx', a, 'MB/s', 'nginx', b, 0.75);
    }
    if (wants('put-256m-azurite')) {
      const data = Buffer.alloc(256 * MiB, 'y');
      const upload = (service) => async (i) => {
        execFileSync('sync'); // neither side pays for what the other left to be written back or collected
        await sleep(1000);
        const from = performance.now();
        await service.getContainerClient('bench').getBlockBlobClient(`put-${i}`).uploadData(data, { blockSize: 8 * MiB, maxSingleShotSize: MiB, concurrency: 4 });
        return data.length / 1e6 / ((performance.now() - from) / 1000);
      };
      const [a, b] = await inTurn(upload(ours), upload(theirs));
      rateLine('put-256m-azurite', a, 'MB/s', 'azurite', b, 3);
    }
    await peers.stop();
    if (wants('revoke-p99')) await revoke(installation, keys, key, url, bearer);
    if (wants('rotate-100k')) await rotate(installation, keys, blobs, dir, bearer, client);
  } finally {
    await peers.stop();
  }
}

/** Seconds of processor time, the kernel's for it included, that a service has taken. */
function usedBy(installation, service) {
  const fields = fs.readFileSync(`/proc/${installation.pids()[service]}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Waits until a service rests: after a key was made, the vault makes others ahead of time, and would compete with what is measured. */
async function settled(installation, service) {
  for (let i = 0; i < 120; i++) {
    const before = usedBy(installation, service);
    await sleep(500);
    if (usedBy(installation, service) - before < 0.02) return;
  }
}

/** Tokens for client credentials, signed as the installation signs (RS256), beside the bare signatures of all cores. */
async function tokens(installation, dir) {
  const { client } = installation;
  const file = path.join(dir, 'token.lua');
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: client.clientId, client_secret: client.clientSecret, scope: 'https://vault.azure.net/.default' });
  fs.writeFileSync(file, `wrk.method = "POST"\nwrk.body = ${JSON.stringify(form.toString())}\nwrk.headers["Content-Type"] = "application/x-www-form-urlencoded"\n`);
  await settled(installation, 'vault');
  const [a, b] = await inTurn(() => wrk(`${client.authority}/${client.tenant}/oauth2/v2.0/token`, { connections: 32, script: file }), () => opensslRate(3));
  rateLine('tokens', a, 'tokens/s', 'openssl-speed', b, 0.6);
}

/** unwrapKey with RSA-2048 and RSA-OAEP-256, 32 connections. */
async function unwrap(installation, keys, credential, dir) {
  const { token } = await credential.getToken('https://vault.azure.net/.default');
  const rate = (key) => {
    const { url, script } = unwrapRequest(key, dir, token);
    return () => wrk(url, { connections: 32, script });
  };
  if (wants('unwrap')) {
    const ours = rate(await keys.createRsaKey('unwrap'));
    await settled(installation, 'vault');
    const [a, b] = await inTurn(ours, () => opensslRate(3));
    rateLine('unwrap', a, 'operations/s', 'openssl-speed', b, 0.7);
  }
  if (wants('unwrap-pkcs11')) {
    const hardware = Object.setPrototypeOf(JSON.parse(process.env.STRONGROOM_TOKEN), Token.prototype);
    const ours = rate(await keys.createRsaKey('unwrap-pkcs11', { hsm: true }));
    await settled(installation, 'vault');
    const [a, b] = await inTurn(ours, () => loopRate(installation.binary, hardware, 3));
    rateLine('unwrap-pkcs11', a, 'operations/s', 'pkcs11-loop', b, 0.7);
  }
}

/** Time from sending "disable" to its answer, 100 clients reading: p99 of 100 trials. */
async function revoke(installation, keys, key, url, bearer) {
  const readers = spawn('wrk', ['-t1', '-c100', '-d600s', ...Object.entries(bearer).flatMap(([name, value]) => ['-H', `${name}: ${value}`]), `${url}/small`], { stdio: 'ignore' });
  const times = [];
  try {
    await sleep(500);
    for (let i = 0; i < 100; i++) {
      const from = performance.now();
      await keys.updateKeyProperties('bench', key.properties.version, { enabled: false });
      times.push(performance.now() - from);
      await keys.updateKeyProperties('bench', key.properties.version, { enabled: true });
      await sleep(50);
    }
  } finally {
    readers.kill('SIGTERM');
  }
  limitLine('revoke-p99', times.sort((a, b) => a - b)[98], 'ms', 300);
}

/** Rotation of the key of an account with 100,000 blobs, while requests run. */
async function rotate(installation, keys, blobs, dir, bearer, client) {
  await keys.createRsaKey('rotated');
  const account = installation.json(['account', 'create', 'hundred', '--key', 'rotated']);
  const service = new blobs.BlobServiceClient(`${client.blobEndpoint}/hundred`, new blobs.StorageSharedKeyCredential('hundred', account.key1));
  await service.getContainerClient('data').create();
  await service.getContainerClient('data').getBlockBlobClient('probe').upload('probe', 5);
  const script = putScript(dir, 'fill.lua', '/hundred/data/p', '', { ...bearer, 'x-ms-blob-type': 'BlockBlob' });
  const census = () => installation.json(['census', 'rotated']).reduce((sum, row) => sum + row.objects, 0);
  for (let i = 0; i < 60 && census() < 100000; i++) wrk(client.blobEndpoint, { script, seconds: 4 });
  let failures = 0;
  let reads = 0;
  let running = true;
  const readers = [...Array(16)].map(async () => {
    while (running) await service.getContainerClient('data').getBlockBlobClient('probe').downloadToBuffer().then(() => reads++, () => failures++);
  });
  const times = [];
  for (let i = 0; i < rounds; i++) {
    await sleep(1000);
    const from = performance.now();
    await keys.rotateKey('rotated');
    times.push(performance.now() - from);
  }
  running = false;
  await Promise.all(readers);
  limitLine('rotate-100k', median(times), 'ms', 100);
  line('rotate-100k-failed', failures, 'requests', `of-${reads}`, 0, failures, 0, failures === 0 && reads > 0);
}

/** Resident memory of all processes: at rest, and with 1,000 idle connections. */
async function memory(installation) {
  const pids = [...Object.values(installation.pids()), JSON.parse(fs.readFileSync(path.join(installation.state, 'run', 'services.json'), 'utf8')).supervisor];
  limitLine('memory-at-rest', residentMiB(pids), 'MB', 60);
  const connections = [];
  const port = installation.ports['blob-port'];
  for (let i = 0; i < 1000; i += 50) {
    connections.push(...await Promise.all([...Array(50)].map(() => new Promise((resolve, reject) => {
      const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
        socket.write(`GET /nowhere/data HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
        socket.once('data', () => resolve(socket));
      });
      socket.on('error', reject);
    }))));
  }
  await sleep(1000);
  limitLine('memory-1000-idle', residentMiB(pids), 'MB', 120);
  for (const socket of connections) socket.destroy();
}

/** The same disable with the network between vault and blob service cut, in a network namespace of its own. */
function cut(binary) {
  const result = spawnSync('unshare', ['-Urn', process.execPath, path.join(here, 'cut.mjs'), binary], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const times = [...result.stdout.matchAll(/^cut ([\d.]+)$/gm)].map((found) => Number(found[1]));
  if (times.length === 0) {
    console.log('bench revoke-cut could not be measured: no network namespace here');
    return;
  }
  limitLine('revoke-cut', Math.max(...times), 'ms', 2100);
}

/** A vault of a million secrets beside one of a thousand. */
function million(binary) {
  const filler = path.join(path.dirname(path.resolve(binary)), '..', '..', 'tests', 'bench', 'bench_secret_fill');
  const result = spawnSync(process.execPath, [path.join(here, 'million.mjs'), binary, filler], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const found = [...result.stdout.matchAll(/^million (\w+) ([\d.]+) ([\d.]+)$/gm)];
  if (found.length < 3) console.log('bench secret-million could not be measured: see above');
  for (const [, what, small, large] of found) line(`secret-million-${what}`, Number(large), 'us', 'of-a-thousand', Number(small), large / small, 1.5, large / small <= 1.5);
}

if (process.env.STRONGROOM_TEST) {
  await job(runningInstallation());
} else {
  const token = wants('unwrap-pkcs11') ? new Token() : undefined; // a real PKCS#11 module, SoftHSM
  process.env.STRONGROOM_TOKEN = JSON.stringify(token ?? null);
  const installation = new Installation(process.argv[2], { settings: token?.settings });
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-bench-'));
  try {
    await installation.init();
    await installation.serve();
    const trusted = Peers.certify(dir, installation.client.caFile);
    if (await rerunTrusting(installation, fileURLToPath(import.meta.url), [process.argv[2], dir], trusted) !== 0) process.stderr.write(installation.log.slice(-4000));
  } finally {
    await installation.stop();
    installation.remove();
    token?.remove();
    fs.rmSync(dir, { recursive: true, force: true });
  }
  if (wants('revoke-cut')) cut(process.argv[2]);
  if (wants('secret-million')) million(process.argv[2]);
}

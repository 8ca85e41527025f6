// The main job, as a customer would do it: Azure's unmodified SDKs put real data under a key of the customer's, read it
// back, rotate the key, take it away in the middle of a download, and give it back.
// usage: node main-job.mjs PROGRAM        ONCE=1 ends by itself; otherwise the servers stay up until Ctrl-C on a terminal
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ClientSecretCredential } from '@azure/identity';
import { KeyClient } from '@azure/keyvault-keys';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { Installation, rerunTrusting, runningInstallation } from './installation.mjs';

const MiB = 1 << 20;
const bigSize = 1024 * MiB;
const wantedBytes = 120e6;
const wantedFiles = 400;
const terminal = process.stdout.isTTY;
const bold = (text) => (terminal ? `\x1b[1m${text}\x1b[0m` : text);
const green = (text) => (terminal ? `\x1b[32m${text}\x1b[0m` : text);
const ms = (from) => performance.now() - from;
const rate = (bytes, milliseconds) => `${(bytes / 1e6 / (milliseconds / 1000)).toFixed(0)} MB/s`;

function progress(text) {
  if (terminal) process.stdout.write(`\r\x1b[K  ${text}`);
}
function say(text) {
  if (terminal) process.stdout.write('\r\x1b[K');
  console.log(text);
}
function must(condition, what) {
  if (!condition) throw new Error(`expected: ${what}`);
}

/** Real files of many sizes: what the Debian packages that this build needs have installed. */
function dataSet() {
  const packages = ['linux-libc-dev', 'libc6-dev', 'libssl-dev', 'libicu-dev', 'libicu72', 'libxml2-dev', 'gcc-12', 'cpp-12', 'libgcc-12-dev'];
  const files = [];
  let bytes = 0;
  for (const name of packages) {
    let list = '';
    try {
      list = execFileSync('dpkg', ['-L', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch {
      continue; // not on this machine
    }
    for (const file of list.split('\n')) {
      const info = file && fs.lstatSync(file, { throwIfNoEntry: false });
      if (!info || !info.isFile()) continue;
      if (bytes >= wantedBytes && files.length >= wantedFiles) return { files, bytes };
      if (files.length >= wantedFiles * 4 && info.size < 100000) continue;
      files.push({ file, size: info.size });
      bytes += info.size;
    }
  }
  must(bytes >= 100e6 && files.length >= 200, 'at least 100 MB of files in the build\'s own packages');
  return { files, bytes };
}

/** Runs `work` over items, so many at a time. */
async function each(items, concurrency, work) {
  let next = 0;
  await Promise.all([...Array(concurrency)].map(async () => {
    while (next < items.length) await work(items[next++]);
  }));
}

async function drain(stream, onBytes) {
  let count = 0;
  for await (const piece of stream) {
    count += piece.length;
    onBytes?.(count);
  }
  return count;
}

async function job(installation) {
  const { client } = installation;
  const summary = [];
  const credential = new ClientSecretCredential(client.tenant, client.clientId, client.clientSecret, { authorityHost: client.authority, disableInstanceDiscovery: true });
  const keys = new KeyClient(client.vaultUrl, credential, { disableChallengeResourceVerification: true });

  let from = performance.now();
  const key = await keys.createRsaKey('hospital', { keySize: 2048 });
  summary.push(['key created', `RSA-2048, version ${key.properties.version.slice(0, 8)}…, ${ms(from).toFixed(0)} ms`]);
  const account = installation.json(['account', 'create', 'records', '--key', 'hospital']);
  const options = { retryOptions: { maxTries: 1 } };
  const service = new BlobServiceClient(`${client.blobEndpoint}/records`, new StorageSharedKeyCredential('records', account.key1), options);
  const container = service.getContainerClient('training');
  await container.create();

  const { files, bytes } = dataSet();
  from = performance.now();
  let done = 0;
  await each(files, 8, async ({ file }) => {
    await container.getBlockBlobClient(file.slice(1)).uploadFile(file, { blockSize: 8 * MiB, maxSingleShotSize: 8 * MiB });
    progress(`uploading ${++done} of ${files.length} files`);
  });
  summary.push(['uploaded', `${files.length} files, ${(bytes / 1e6).toFixed(0)} MB, ${rate(bytes, ms(from))}`]);
  say(`  uploaded ${files.length} files (${(bytes / 1e6).toFixed(0)} MB) with @azure/storage-blob`);

  from = performance.now();
  done = 0;
  await each(files, 8, async ({ file, size }) => {
    const got = size ? await container.getBlockBlobClient(file.slice(1)).downloadToBuffer() : Buffer.alloc(0);
    must(got.equals(fs.readFileSync(file)), `${file} comes back byte for byte`);
    progress(`comparing ${++done} of ${files.length} files`);
  });
  summary.push(['downloaded, compared', `every byte the same, ${rate(bytes, ms(from))}`]);
  say('  downloaded all and compared them byte for byte');

  const probe = container.getBlockBlobClient(files.find(({ size }) => size > 0).file.slice(1));
  let reads = 0;
  let reading = true;
  const reader = (async () => { while (reading) { await probe.downloadToBuffer(); reads++; } })();
  from = performance.now();
  const rotated = await keys.rotateKey('hospital');
  const rotateMs = ms(from);
  reading = false;
  await reader;
  must(rotated.properties.version !== key.properties.version, 'a new version');
  const census = installation.json(['census', 'hospital']);
  must(census.find((row) => row.version === rotated.properties.version)?.objects >= files.length, 'everything under the new version');
  summary.push(['key rotated', `${rotateMs.toFixed(0)} ms, ${reads} reads meanwhile, none refused`]);
  say(`  rotated the key in ${rotateMs.toFixed(0)} ms; everything readable throughout`);

  const big = container.getBlockBlobClient('one-gibibyte');
  const block = crypto.randomBytes(32 * MiB);
  const ids = [];
  for (let i = 0; i * block.length < bigSize; i++) {
    ids.push(Buffer.from(String(i).padStart(6, '0')).toString('base64'));
    await big.stageBlock(ids[i], block, block.length);
    progress(`uploading 1 GiB: ${Math.round(100 * (i + 1) * block.length / bigSize)} %`);
  }
  await big.commitBlockList(ids);
  const whole = await big.download();
  let received = 0;
  let bytesAtAnswer = Infinity;
  const stopped = drain(whole.readableStreamBody, (count) => { received = count; }).then(() => null, (error) => error);
  while (received < 100 * MiB) await new Promise((resolve) => setTimeout(resolve, 1));
  from = performance.now();
  for await (const version of keys.listPropertiesOfKeyVersions('hospital')) await keys.updateKeyProperties('hospital', version.version, { enabled: false });
  const revokeMs = ms(from);
  bytesAtAnswer = received;
  const failure = await stopped;
  must(failure, 'the running download stops');
  must(received < bigSize, 'the download did not finish');
  const refusals = await Promise.all(files.slice(0, 32).map(({ file }) => container.getBlockBlobClient(file.slice(1)).download().then(() => null, (error) => error)));
  for (const refusal of refusals) {
    must(refusal?.statusCode === 403 && refusal.code === 'KeyVaultEncryptionKeyNotFound', `403 KeyVaultEncryptionKeyNotFound, not ${refusal?.statusCode} ${refusal?.code}`);
  }
  summary.push(['key disabled', `both versions in ${revokeMs.toFixed(0)} ms, in the middle of a 1 GiB download`]);
  summary.push(['the download', `stopped at ${(received / MiB).toFixed(0)} MiB (${((received - bytesAtAnswer) / MiB).toFixed(1)} MiB were still on their way)`]);
  summary.push(['new reads', '403 KeyVaultEncryptionKeyNotFound, 32 of 32']);
  say(`  disabled the key during a 1 GiB download: ${revokeMs.toFixed(0)} ms; the download stopped, every new read is refused`);

  from = performance.now();
  for await (const version of keys.listPropertiesOfKeyVersions('hospital')) await keys.updateKeyProperties('hospital', version.version, { enabled: true });
  must((await probe.downloadToBuffer()).length > 0, 'readable again');
  summary.push(['key given back', `readable again after ${ms(from).toFixed(0)} ms`]);
  say('  enabled it again: readable');

  console.log(`\n${bold('What happened')}`);
  for (const [what, how] of summary) console.log(`  ${green('✓')} ${what.padEnd(22)} ${how}`);
  console.log(`\n${bold('Try next')}   (state in ${installation.state})`);
  const program = path.relative(process.cwd(), installation.binary);
  for (const words of ['status', 'census hospital', 'key disable hospital --dry-run', 'verify', 'audit verify', '--help']) {
    console.log(`  ${program} ${words}${words.startsWith('--') ? '' : ` --state ${installation.state}`}`);
  }
}

async function main() {
  if (process.env.STRONGROOM_TEST) {
    await job(runningInstallation());
    return 0;
  }
  const installation = new Installation(process.argv[2]);
  let status = 1;
  try {
    await installation.init();
    await installation.serve();
    console.log(bold('Strongroom serves: ') + `identity ${installation.client.authority}, vault ${installation.client.vaultUrl}, blobs ${installation.client.blobEndpoint}`);
    status = await rerunTrusting(installation, fileURLToPath(import.meta.url));
    if (status === 0 && terminal && !process.env.ONCE) {
      console.log('\nThe services stay up; Ctrl-C stops them and removes the state.');
      await new Promise((resolve) => process.once('SIGINT', resolve));
    }
  } finally {
    if (status !== 0) process.stderr.write(installation.log);
    await installation.stop();
    installation.remove();
  }
  return status;
}

process.exit(await main());

// A key that is taken away: every way to lose it, every kind of request, and the way back.
import crypto from 'node:crypto';
import { suite, step, finish, must, equal, refused, installation, keyClient, blobService, sleep, slowness, unique } from '../steps.mjs';

suite('revocation');
const keys = keyClient();
const MiB = 1 << 20;
const poll = { intervalInMs: 20 };

async function accountUnder(keyName, ...more) {
  const account = installation.json(['account', 'create', `rev${unique()}`, '--key', keyName, ...more]);
  const container = blobService(account).getContainerClient('data');
  await container.create();
  await container.getBlockBlobClient('small').upload('small', 5);
  await container.getBlockBlobClient('large').upload(crypto.randomBytes(2 * MiB), 2 * MiB);
  return { account, container };
}
const reads = (container) => [
  () => container.getBlockBlobClient('small').download(),
  () => container.getBlockBlobClient('large').download(),
  () => container.getBlockBlobClient('small').getProperties(),
  () => container.getBlockBlobClient('new').upload('x', 1),
  () => container.getBlockBlobClient('new').stageBlock('AAAA', 'x', 1),
  () => container.listBlobsFlat().next(),
  () => container.getProperties(),
  () => container.getBlockBlobClient('small').delete(),
];
async function allRefused(container) {
  for (const request of reads(container)) await refused(request, 403, 'KeyVaultEncryptionKeyNotFound');
}

await step('disabled_key_refuses_every_request_and_enabling_brings_all_back', async () => {
  const key = await keys.createRsaKey(`rev-${unique()}`);
  const { container } = await accountUnder(key.name);
  await keys.updateKeyProperties(key.name, key.properties.version, { enabled: false });
  await allRefused(container);
  await keys.updateKeyProperties(key.name, key.properties.version, { enabled: true });
  equal((await container.getBlockBlobClient('small').downloadToBuffer()).toString(), 'small', 'readable again');
});
await step('deleted_key_refuses_and_recovery_brings_back', async () => {
  const key = await keys.createRsaKey(`rev-${unique()}`);
  const { container } = await accountUnder(key.name);
  await (await keys.beginDeleteKey(key.name, poll)).pollUntilDone();
  await allRefused(container);
  await (await keys.beginRecoverDeletedKey(key.name, poll)).pollUntilDone();
  equal((await container.getBlockBlobClient('small').downloadToBuffer()).toString(), 'small', 'readable again');
});
await step('expired_key_refuses_by_itself', async () => {
  const key = await keys.createRsaKey(`rev-${unique()}`);
  const { container } = await accountUnder(key.name);
  await keys.updateKeyProperties(key.name, key.properties.version, { expiresOn: new Date(Date.now() + 2000 * slowness) });
  await container.getBlockBlobClient('small').download();
  await sleep(2500 + 2000 * slowness);
  await refused(container.getBlockBlobClient('small').download(), 403, 'KeyVaultEncryptionKeyNotFound');
  await keys.updateKeyProperties(key.name, key.properties.version, { expiresOn: new Date(Date.now() + 86400e3) });
  equal((await container.getBlockBlobClient('small').downloadToBuffer()).toString(), 'small', 'readable again');
});
await step('rotation_moves_followers_and_old_version_may_go', async () => {
  const key = await keys.createRsaKey(`rev-${unique()}`);
  const follower = await accountUnder(key.name);
  const fixed = await accountUnder(key.name, '--key-version', key.properties.version);
  const second = await keys.rotateKey(key.name);
  const census = installation.json(['census', key.name]);
  equal(census.find((row) => row.version === second.properties.version).accounts.length, 1, 'one under the new version');
  equal(census.find((row) => row.version === key.properties.version).accounts.length, 1, 'one under the old version');
  await keys.updateKeyProperties(key.name, key.properties.version, { enabled: false });
  await follower.container.getBlockBlobClient('small').download();
  await refused(fixed.container.getBlockBlobClient('small').download(), 403);
  must(installation.run(['account', 'rekey', fixed.account.name, '--key', key.name], { allowFailure: true }).status !== 0, 'a rekey needs the old version too');
  await keys.updateKeyProperties(key.name, key.properties.version, { enabled: true });
  installation.run(['account', 'rekey', fixed.account.name, '--key', key.name]);
  await keys.updateKeyProperties(key.name, key.properties.version, { enabled: false });
  equal((await fixed.container.getBlockBlobClient('small').downloadToBuffer()).toString(), 'small', 'rekeyed');
});
await step('running_download_stops_and_upload_is_refused', async () => {
  const key = await keys.createRsaKey(`rev-${unique()}`);
  const { container } = await accountUnder(key.name);
  const big = container.getBlockBlobClient('big');
  await big.uploadData(crypto.randomBytes(64 * MiB), { blockSize: 8 * MiB, maxSingleShotSize: MiB });
  const download = await big.download();
  let received = 0;
  const ended = (async () => { for await (const piece of download.readableStreamBody) { received += piece.length; await sleep(5); } })().then(() => null, (error) => error);
  while (received < MiB) await sleep(2);
  const from = performance.now();
  await keys.updateKeyProperties(key.name, key.properties.version, { enabled: false });
  must(performance.now() - from < 1000 * slowness, `disabled in ${(performance.now() - from).toFixed(0)} ms`);
  must(await ended, 'the download ends with an error');
  must(received < 64 * MiB, 'not all of it arrived');
});
await step('hundred_readers_never_read_after_the_answer', async () => {
  const key = await keys.createRsaKey(`rev-${unique()}`);
  const { container } = await accountUnder(key.name);
  const blob = container.getBlockBlobClient('small');
  let disabledAt = Infinity;
  let late = 0;
  let running = true;
  const readers = [...Array(100)].map(async () => {
    while (running) {
      const from = performance.now();
      try {
        await blob.downloadToBuffer();
        if (from > disabledAt) late++;
      } catch {
        await sleep(5);
      }
    }
  });
  await sleep(500);
  await keys.updateKeyProperties(key.name, key.properties.version, { enabled: false });
  disabledAt = performance.now();
  await sleep(500);
  running = false;
  await Promise.all(readers);
  equal(late, 0, 'reads that began after the answer');
});
await step('dead_vault_fails_closed_within_the_lease_and_comes_back', async () => {
  const { container } = await accountUnder((await keys.createRsaKey(`rev-${unique()}`)).name);
  const blob = container.getBlockBlobClient('small');
  process.kill(installation.pids().vault, 'SIGSTOP');
  try {
    await sleep(2200);
    const error = await refused(blob.download());
    must([403, 503].includes(error.statusCode), `refused with 403 or 503, not ${error.statusCode}`);
  } finally {
    process.kill(installation.pids().vault, 'SIGCONT');
  }
  let back;
  for (let i = 0; i < 50 * slowness && !back; i++) {
    await sleep(100);
    back = await blob.downloadToBuffer().then((bytes) => bytes.toString(), () => undefined);
  }
  equal(back, 'small', 'readable again');
});
await step('deleted_account_is_gone', async () => {
  const { account, container } = await accountUnder((await keys.createRsaKey(`rev-${unique()}`)).name);
  installation.run(['account', 'delete', account.name, '--yes']);
  const error = await refused(container.getProperties());
  must([403, 404].includes(error.statusCode) || error.code === 'ENOTFOUND', `gone, not ${error.statusCode}`);
});
finish();

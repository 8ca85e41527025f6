// Block blobs with @azure/storage-blob: contents of all sizes, lists against a naive model, refusals in Storage's shape.
import crypto from 'node:crypto';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { suite, step, finish, must, equal, refused, installation, credential, blobService, raw, unique } from '../steps.mjs';
import { words } from '../canary.mjs';

suite('blob');
const { client } = installation;
const account = installation.json(['account', 'create', `${words.account}${unique().slice(0, 6)}`]);
const service = blobService(account);
const container = service.getContainerClient(`${words.container}-${unique()}`);
await container.create({ metadata: { [words.metadataName]: words.metadata } });
const MiB = 1 << 20;

for (const size of [0, 1, 4096, 16384, 16385, 65535, 65536, 65537, 131072, 3 * MiB + 7]) await step(`content_of_${size}_bytes_comes_back`, async () => {
  const data = crypto.randomBytes(size);
  if (size > 64) data.write(words.content, 10);
  const blob = container.getBlockBlobClient(`${words.blob}-${size}`);
  const put = await blob.upload(data, size, { metadata: { [words.metadataName]: words.metadata } });
  must(Buffer.from(put.contentMD5).equals(crypto.createHash('md5').update(data).digest()), 'MD5');
  const got = size ? await blob.downloadToBuffer() : Buffer.alloc(0);
  must(got.equals(data), 'content');
  const properties = await blob.getProperties();
  equal(properties.contentLength, size, 'length');
  equal(properties.metadata[words.metadataName], words.metadata, 'metadata');
  equal(properties.isServerEncrypted, true, 'isServerEncrypted');
  for (let i = 0; size && i < 12; i++) {
    const from = crypto.randomInt(size);
    const count = 1 + crypto.randomInt(size - from);
    must((await blob.downloadToBuffer(from, count)).equals(data.subarray(from, from + count)), `range ${from}+${count}`);
  }
});
await step('blocks_in_any_order_overwrite_and_recommit', async () => {
  const blob = container.getBlockBlobClient('blocks');
  const blocks = [...Array(20)].map((_, i) => ({ id: Buffer.from(`id-${String(i).padStart(4, '0')}`).toString('base64'), data: crypto.randomBytes(crypto.randomInt(1, 200000)) }));
  await Promise.all(blocks.map(({ id, data }) => blob.stageBlock(id, data, data.length)));
  const order = [...blocks].sort(() => Math.random() - 0.5);
  await blob.commitBlockList(order.map(({ id }) => id));
  must((await blob.downloadToBuffer()).equals(Buffer.concat(order.map(({ data }) => data))), 'in the order of the list');
  const half = order.slice(0, 10);
  await blob.commitBlockList(half.map(({ id }) => id));
  must((await blob.downloadToBuffer()).equals(Buffer.concat(half.map(({ data }) => data))), 'recommitted from committed blocks');
  await refused(blob.commitBlockList([order[15].id]), 400, 'InvalidBlockList');
});
await step('checksums_are_checked', async () => {
  const blob = container.getBlockBlobClient('sums');
  await refused(blob.stageBlock('AAAA', 'hello', 5, { transactionalContentMD5: crypto.createHash('md5').update('other').digest() }), 400, 'Md5Mismatch');
  await refused(blob.stageBlock('AAAA', 'hello', 5, { transactionalContentCrc64: Buffer.alloc(8) }), 400, 'Crc64Mismatch');
});
await step('lists_agree_with_a_naive_model', async () => {
  const c = service.getContainerClient(`list-${unique()}`);
  await c.create();
  const alphabet = ['a', 'b', '/', 'é', '-', '0', ' ', '&'];
  const names = new Set();
  while (names.size < 150) {
    const name = [...Array(1 + crypto.randomInt(6))].map(() => alphabet[crypto.randomInt(alphabet.length)]).join('').replace(/^[/ ]+|[/ .]+$/g, '');
    if (name && !name.includes('//')) names.add(name);
  }
  const all = [...names];
  for (let i = 0; i < all.length; i += 16) await Promise.all(all.slice(i, i + 16).map((name) => c.getBlockBlobClient(name).upload('x', 1)));
  const sorted = all.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const prefix of ['', 'a', 'a/', 'b', 'é', 'zz']) {
    for (const maxPageSize of [1, 7, 5000]) {
      const flat = [];
      for await (const page of c.listBlobsFlat({ prefix }).byPage({ maxPageSize })) flat.push(...page.segment.blobItems.map((item) => item.name));
      equal(JSON.stringify(flat), JSON.stringify(sorted.filter((name) => name.startsWith(prefix))), `flat ${prefix} ${maxPageSize}`);
      const got = [];
      for await (const page of c.listBlobsByHierarchy('/', { prefix }).byPage({ maxPageSize })) got.push(...(page.segment.blobPrefixes ?? []).map((item) => item.name), ...page.segment.blobItems.map((item) => item.name));
      const want = new Set(sorted.filter((name) => name.startsWith(prefix)).map((name) => { const cut = name.indexOf('/', prefix.length); return cut < 0 ? name : name.slice(0, cut + 1); }));
      equal(JSON.stringify(got.sort()), JSON.stringify([...want].sort()), `by hierarchy ${prefix} ${maxPageSize}`);
    }
  }
});
await step('conditions_hold_under_a_race', async () => {
  const blob = container.getBlockBlobClient('race');
  const outcomes = await Promise.allSettled([...Array(16)].map((_, i) => blob.upload(`w${i}`, 2 + (i > 9), { conditions: { ifNoneMatch: '*' } })));
  equal(outcomes.filter((outcome) => outcome.status === 'fulfilled').length, 1, 'one creator');
});
await step('tokens_work_on_the_same_data', async () => {
  const blob = blobService(account, credential()).getContainerClient(container.containerName).getBlockBlobClient('race');
  must((await blob.downloadToBuffer()).length >= 2, 'read by token');
});
await step('wrong_signatures_are_refused', async () => {
  const bad = new BlobServiceClient(`${client.blobEndpoint}/${account.name}`, new StorageSharedKeyCredential(account.name, Buffer.alloc(64).toString('base64')), { retryOptions: { maxTries: 1 } });
  await refused(bad.getContainerClient('xxx').getProperties(), 403);
  const url = `/${account.name}/ccc?restype=container`;
  for (const authorization of ['SharedKey', `SharedKey ${account.name}:`, `SharedKey ${account.name}:!!!`, 'SharedKey other:AAAA', 'Bearer x', 'Basic eDp5']) {
    const answer = await raw(client.blobEndpoint, { path: url, headers: { authorization, 'x-ms-version': '2021-12-02', 'x-ms-date': new Date().toUTCString() } });
    must([400, 401, 403].includes(answer.status), `${authorization}: ${answer.status}`);
    must(/<Code>\w+<\/Code>/.test(answer.body), 'Storage\'s error shape');
  }
  const none = await raw(client.blobEndpoint, { path: url, headers: { 'x-ms-version': '2021-12-02' } });
  must([401, 403, 404].includes(none.status), `without authorization: ${none.status}`);
});
await step('old_key_is_refused_after_regeneration', async () => {
  const other = installation.json(['account', 'create', `regen${unique()}`]);
  await blobService(other).getContainerClient('data').create();
  const fresh = installation.json(['account', 'regenerate-key', other.name, 'key1']);
  must(fresh.key1 !== other.key1 && fresh.key2 === other.key2, 'only key1 changes');
  await refused(blobService(other).getContainerClient('data').getProperties(), 403);
  await blobService(fresh).getContainerClient('data').getProperties();
});
await step('absurd_requests_get_clear_errors', async () => {
  const blob = container.getBlockBlobClient('race');
  await refused(blob.download(1 << 30, 5), 416, 'InvalidRange');
  await refused(service.getContainerClient('no').create(), 400);
  await refused(service.getContainerClient('Bad_Name').create(), 400);
  await refused(container.getBlockBlobClient('x').upload('x', 1, { metadata: { '1bad': 'x' } }), 400, 'InvalidMetadata');
  await refused(container.getBlockBlobClient('b').commitBlockList(['not base64!']), 400);
  await refused(service.getContainerClient('absent-container').getBlockBlobClient('x').upload('x', 1), 404, 'ContainerNotFound');
});
await step('accounts_share_nothing', async () => {
  const other = installation.json(['account', 'create', `apart${unique()}`]);
  const crossed = new BlobServiceClient(`${client.blobEndpoint}/${account.name}`, new StorageSharedKeyCredential(account.name, other.key1), { retryOptions: { maxTries: 1 } });
  await refused(crossed.getContainerClient(container.containerName).getProperties(), 403);
});
finish();

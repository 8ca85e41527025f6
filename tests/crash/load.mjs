// A load of writes whose outcome is known: each blob belongs to one writer, each write has a number, and afterwards a blob must hold
// what was last acknowledged, or, whole, what was on its way. Two loads with one seed do the same.
import crypto from 'node:crypto';
import https from 'node:https';
import { generator } from './generator.mjs';

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const sizes = [0, 1, 100, 4096, 4096, 4096, 16384, 16385, 40000, 65536, 70000, 200000, 1500000];
const absent = 'absent';

/** Content of a write, from its name and number alone. */
function contentOf(blob, number) {
  const seed = crypto.createHash('sha256').update(`${blob} ${number}`).digest();
  const size = sizes[seed[0] % sizes.length];
  const cipher = crypto.createCipheriv('aes-256-ctr', seed, Buffer.alloc(16));
  return cipher.update(Buffer.alloc(size));
}
const blockId = (text) => Buffer.from(String(text).padStart(8, '0')).toString('base64');

/** A content in three blocks, whose ids bear the write's number; none of an empty one. */
function thirds(data, number) {
  const third = Math.ceil(data.length / 3);
  const blocks = [];
  for (let at = 0; at < data.length; at += third) blocks.push({ id: blockId(`${number}-${blocks.length}`), data: data.subarray(at, at + third) });
  return blocks;
}
const digest = (bytes) => crypto.createHash('sha256').update(bytes).digest('hex').slice(0, 16);

export class Load {
  /** @param mark is called with a text when a write begins and when it is acknowledged */
  constructor(installation, account, container, { writers = 8, blobsEach = 6, mark = () => {}, seed = 1 } = {}) {
    Object.assign(this, { installation, account, container, mark });
    this.agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false });
    this.blobs = [];
    for (let w = 0; w < writers; w++) {
      for (let b = 0; b < blobsEach; b++) this.blobs.push({ name: `w${w}-b${b}`, writer: w, number: 0, acknowledged: absent, underWay: [], blocks: null });
    }
    this.randoms = [...Array(writers)].map((_, w) => generator(seed + w));
    this.writers = writers;
    this.writes = 0;
    this.acknowledgedWrites = 0;
    /** Every write in order: {id, blob, value, isDone}, for replays. */
    this.history = [];
    /** Writes that were answered with an error: {way, status, code}. */
    this.refused = [];
  }

  async authorize() {
    const { client } = this.installation;
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: client.clientId, client_secret: client.clientSecret, scope: 'https://storage.azure.com/.default' }).toString();
    const answer = await this.request('POST', `${client.authority}/${client.tenant}/oauth2/v2.0/token`, { 'content-type': 'application/x-www-form-urlencoded' }, body);
    if (answer.status !== 200) throw new Error(`no token: ${answer.status} ${answer.body}`);
    this.token = JSON.parse(answer.body).access_token;
  }

  request(method, url, headers = {}, body) {
    return new Promise((resolve, reject) => {
      const request = https.request(url, { method, agent: this.agent, timeout: 20000, headers: { ...headers, 'content-length': body ? Buffer.byteLength(body) : 0 } }, (response) => {
        const pieces = [];
        response.on('data', (piece) => pieces.push(piece));
        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces) }));
        response.on('error', reject);
      });
      request.on('timeout', () => request.destroy(new Error('timed out')));
      request.on('error', reject);
      request.end(body);
    });
  }

  blobRequest(method, name, query = '', headers = {}, body = undefined) {
    const url = `${this.installation.client.blobEndpoint}/${this.account}/${this.container}${name ? `/${name}` : ''}${query}`;
    return this.request(method, url, { authorization: `Bearer ${this.token}`, 'x-ms-version': '2021-12-02', ...headers }, body);
  }

  async makeContainer() {
    const answer = await this.blobRequest('PUT', '', '?restype=container');
    if (answer.status !== 201) throw new Error(`no container: ${answer.status} ${answer.body}`);
  }

  /** How a blob's next write is done; a list is written anew from blocks that are committed already. */
  wayOf({ number, acknowledged, blocks }) {
    if (number % 7 === 0 && acknowledged !== absent) return 'delete';
    if (number % 3 === 0) return 'blocks';
    return blocks && number % 3 === 1 ? 'list' : 'put';
  }

  /** One write of a blob's next number: whole, in blocks, as another list of its blocks, or its deletion. */
  async write(blob) {
    blob.number++;
    const id = ++this.writes;
    const way = this.wayOf(blob);
    const fresh = contentOf(blob.name, blob.number);
    const kept = way === 'list' ? [...blob.blocks].reverse() : [];
    const blocks = way === 'blocks' ? thirds(fresh, blob.number) : way === 'list' ? [...kept, ...thirds(fresh, blob.number)] : null;
    const value = way === 'delete' ? absent : digest(blocks ? Buffer.concat(blocks.map(({ data }) => data)) : fresh);
    blob.underWay.push(value);
    blob.blocks = null;
    const entry = { id, blob: blob.name, value, isDone: false };
    this.history.push(entry);
    this.mark(`begin ${id}`);
    await this.send(way, blob.name, fresh, blocks, kept.length);
    this.mark(`done ${id}`);
    entry.isDone = true;
    Object.assign(blob, { acknowledged: value, underWay: [], blocks });
    this.acknowledgedWrites++;
  }

  async send(way, name, data, blocks, committed) {
    const check = (answer, status) => {
      if (answer.status === status) return;
      const code = answer.headers['x-ms-error-code'];
      throw Object.assign(new Error(`${way}: ${answer.status} ${answer.body.toString().slice(0, 200)}`), { way, status: answer.status, code });
    };
    if (way === 'delete') {
      check(await this.blobRequest('DELETE', name), 202);
    } else if (way === 'put') {
      check(await this.blobRequest('PUT', name, '', { 'x-ms-blob-type': 'BlockBlob' }, data), 201);
    } else {
      for (const block of blocks.slice(committed)) {
        check(await this.blobRequest('PUT', name, `?comp=block&blockid=${encodeURIComponent(block.id)}`, {}, block.data), 201);
      }
      const items = blocks.map((block, i) => (i < committed ? `<Committed>${block.id}</Committed>` : `<Latest>${block.id}</Latest>`));
      const list = `<?xml version="1.0" encoding="utf-8"?><BlockList>${items.join('')}</BlockList>`;
      check(await this.blobRequest('PUT', name, '?comp=blocklist', { 'content-type': 'application/xml' }, list), 201);
    }
  }

  /** Writes until `until` says so. What was refused may or may not be done; a lost connection ends its writer. */
  async run(until) {
    await Promise.all([...Array(this.writers)].map(async (_, w) => {
      const own = this.blobs.filter((blob) => blob.writer === w);
      while (!until()) {
        try {
          await this.write(own[Math.floor(this.randoms[w]() * own.length)]);
        } catch (error) {
          if (!error.status) return;
          this.refused.push({ way: error.way, status: error.status, code: error.code });
          await sleep(20);
        }
      }
    }));
  }

  /** What a blob holds now. */
  async read(name) {
    const answer = await this.blobRequest('GET', name);
    if (answer.status === 404) return absent;
    if (answer.status !== 200) throw Object.assign(new Error(`read ${name}: ${answer.status} ${answer.body.toString().slice(0, 200)}`), { status: answer.status });
    if (answer.body.length !== Number(answer.headers['content-length'])) throw new Error(`read ${name}: cut short`);
    return digest(answer.body);
  }

  /** Waits until a read of some blob is answered as it should be. */
  async untilServed(seconds = 30) {
    for (let i = 0; i < seconds * 20; i++) {
      try {
        await this.read(this.blobs[0].name);
        return;
      } catch {
        await sleep(50);
      }
    }
    throw new Error(`nothing is served ${seconds} s after the kill`);
  }

  /** Compares every blob with what it may hold; settles what was under way. Gives the faults found. */
  async check(may = (blob) => [blob.acknowledged, ...blob.underWay]) {
    const faults = [];
    await Promise.all(this.blobs.map(async (blob) => {
      const allowed = may(blob);
      const got = await this.read(blob.name).catch((error) => `unreadable: ${error.message}`);
      if (!allowed.includes(got)) faults.push(`${blob.name} holds ${got}, may hold ${allowed.join(' or ')}`);
      Object.assign(blob, { acknowledged: got, underWay: [], blocks: null });
    }));
    return faults;
  }
}

// A load of writes whose outcome is known: each blob belongs to one writer, each write has a number, and afterwards a blob must hold
// what was last acknowledged, or, whole, what was on its way.
import crypto from 'node:crypto';
import https from 'node:https';

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
const digest = (bytes) => crypto.createHash('sha256').update(bytes).digest('hex').slice(0, 16);

export class Load {
  /** @param mark is called with a text when a write begins and when it is acknowledged */
  constructor(installation, account, container, { writers = 8, blobsEach = 6, mark = () => {} } = {}) {
    Object.assign(this, { installation, account, container, mark });
    this.agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false });
    this.blobs = [];
    for (let w = 0; w < writers; w++) {
      for (let b = 0; b < blobsEach; b++) this.blobs.push({ name: `w${w}-b${b}`, writer: w, number: 0, acknowledged: absent, underWay: null });
    }
    this.writers = writers;
    this.writes = 0;
    /** Every write in order: {id, blob, value}, for replays. */
    this.history = [];
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

  /** One write of a blob's next number: whole, in blocks, or its deletion. */
  async write(blob) {
    blob.number++;
    const id = ++this.writes;
    const way = blob.number % 7 === 0 && blob.acknowledged !== absent ? 'delete' : blob.number % 3 === 0 ? 'blocks' : 'put';
    const data = way === 'delete' ? null : contentOf(blob.name, blob.number);
    blob.underWay = data ? digest(data) : absent;
    this.history.push({ id, blob: blob.name, value: blob.underWay });
    this.mark(`begin ${id}`);
    await this.send(way, blob.name, data);
    this.mark(`done ${id}`);
    blob.acknowledged = blob.underWay;
    blob.underWay = null;
  }

  async send(way, name, data) {
    const check = (answer, status) => { if (answer.status !== status) throw new Error(`${way}: ${answer.status} ${answer.body.toString().slice(0, 200)}`); };
    if (way === 'delete') {
      check(await this.blobRequest('DELETE', name), 202);
    } else if (way === 'put') {
      check(await this.blobRequest('PUT', name, '', { 'x-ms-blob-type': 'BlockBlob' }, data), 201);
    } else {
      const third = Math.ceil(data.length / 3);
      const ids = [];
      for (let at = 0; at < data.length; at += third) {
        ids.push(Buffer.from(String(at).padStart(8, '0')).toString('base64'));
        check(await this.blobRequest('PUT', name, `?comp=block&blockid=${encodeURIComponent(ids.at(-1))}`, {}, data.subarray(at, at + third)), 201);
      }
      const list = `<?xml version="1.0" encoding="utf-8"?><BlockList>${ids.map((block) => `<Latest>${block}</Latest>`).join('')}</BlockList>`;
      check(await this.blobRequest('PUT', name, '?comp=blocklist', { 'content-type': 'application/xml' }, list), 201);
    }
  }

  /** Writes until `until` says so; a failed write stays "under way" and ends its writer. */
  async run(until) {
    await Promise.all([...Array(this.writers)].map(async (_, w) => {
      const own = this.blobs.filter((blob) => blob.writer === w && !blob.underWay);
      for (let i = 0; own.length && !until(); i++) {
        try {
          await this.write(own[Math.floor(Math.random() * own.length)]);
        } catch {
          return;
        }
      }
    }));
  }

  /** What a blob holds now. */
  async read(name) {
    const answer = await this.blobRequest('GET', name);
    if (answer.status === 404) return absent;
    if (answer.status !== 200) throw new Error(`read ${name}: ${answer.status} ${answer.body.toString().slice(0, 200)}`);
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
  async check(may = (blob) => [blob.acknowledged, ...(blob.underWay ? [blob.underWay] : [])]) {
    const faults = [];
    await Promise.all(this.blobs.map(async (blob) => {
      const allowed = may(blob);
      const got = await this.read(blob.name).catch((error) => `unreadable: ${error.message}`);
      if (!allowed.includes(got)) faults.push(`${blob.name} holds ${got}, may hold ${allowed.join(' or ')}`);
      blob.acknowledged = got;
      blob.underWay = null;
    }));
    return faults;
  }
}

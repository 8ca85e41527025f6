// A vault of a million secrets beside one of a thousand: reading, creating and listing in turn, each as wrk sees it over TLS.
// Prints `million WHAT SMALL LARGE` for get and create (microseconds a call) and list (the same, of one page).
// usage: node million.mjs PROGRAM FILLER        SECRETS=1000000 ROUNDS=5
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { Installation } from '../sdk/installation.mjs';

const rounds = Number(process.env.ROUNDS ?? 5);
const many = Number(process.env.SECRETS ?? 1000000);
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-million-'));
const agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false });
const api = 'api-version=7.4';

function send(method, url, headers, body) {
  return new Promise((resolve, reject) => {
    const request = https.request(url, { method, agent, headers }, (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece));
      response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(pieces).toString() }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** An installation with so many secrets, and what asks it. */
class House {
  constructor(count) {
    this.count = count;
    this.installation = new Installation(process.argv[2], { state: path.join(folder, String(count)) });
  }

  async open() {
    await this.installation.init();
    await this.installation.serve();
    await this.installation.stop(); // the vault has made its files
    execFileSync(process.argv[3], [this.installation.state, String(this.count)]);
    await this.installation.serve();
    const { client } = this.installation;
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: client.clientId, client_secret: client.clientSecret, scope: 'https://vault.azure.net/.default' });
    const answer = await send('POST', `${client.authority}/${client.tenant}/oauth2/v2.0/token`, { 'content-type': 'application/x-www-form-urlencoded' }, form.toString());
    this.headers = { Authorization: `Bearer ${JSON.parse(answer.body).access_token}`, 'Content-Type': 'application/json' };
  }

  /** Runs wrk with requests of the script's making; microseconds a call. */
  wrk(body, round) {
    const file = path.join(folder, 'script.lua');
    const headers = Object.entries(this.headers).map(([name, value]) => `["${name}"] = "${value}"`).join(', ');
    fs.writeFileSync(file, `
      local thread_number = 0
      function setup(thread) thread:set("id", thread_number) thread_number = thread_number + 1 end
      function init() math.randomseed(${round} * 100 + id) headers = { ${headers} } count = 0 end
      ${body}`);
    const output = execFileSync('wrk', ['-t2', '-c64', '-d2s', '-s', file, this.installation.client.vaultUrl], { encoding: 'utf8' });
    const failures = /Non-2xx or 3xx responses: (\d+)/.exec(output);
    if (failures) throw new Error(`wrk: ${failures[1]} requests failed`);
    return 1e6 / Number(/Requests\/sec:\s+([\d.]+)/.exec(output)[1]);
  }

  get(round) {
    return this.wrk(`function request()
      return wrk.format("GET", string.format("/secrets/s-%08x?${api}", (math.random(0, ${this.count - 1}) * 2654435761) % 4294967296), headers)
    end`, round);
  }

  create(round) {
    return this.wrk(`function request()
      count = count + 1
      return wrk.format("PUT", string.format("/secrets/c-%08x-${round}-%d?${api}", (count * 2654435761) % 4294967296, id), headers, '{"value":"a secret of thirty-two characters"}')
    end`, round);
  }

  /** Pages from anywhere in the list, one after the other. */
  async list(round) {
    const times = [];
    for (let i = 0; i < 100; i++) {
      const after = Buffer.from(`s-${((round * 100 + i) * 2654435761 % 4294967296).toString(16).padStart(8, '0')}`).toString('base64url');
      const from = performance.now();
      const answer = await send('GET', `${this.installation.client.vaultUrl}/secrets?${api}&$skiptoken=${after}`, this.headers);
      times.push(performance.now() - from);
      if (answer.status !== 200 || !JSON.parse(answer.body).value) throw new Error(`list: ${answer.status}`);
    }
    return median(times) * 1000;
  }

  async close() {
    await this.installation.stop();
    this.installation.remove();
  }
}

const small = new House(1000);
const large = new House(many);
try {
  await small.open();
  await large.open();
  for (const what of ['get', 'list', 'create']) {
    const times = [[], []];
    for (let i = 0; i < rounds; i++) {
      times[0].push(await small[what](i));
      times[1].push(await large[what](i));
    }
    console.log(`million ${what} ${median(times[0]).toFixed(2)} ${median(times[1]).toFixed(2)}`);
  }
} finally {
  agent.destroy();
  await small.close();
  await large.close();
  fs.rmSync(folder, { recursive: true, force: true });
}

// The vault by its API and the command line: what an operation asks of it, and everything that it shows, as lines that can be compared.
import { spawnSync } from 'node:child_process';
import https from 'node:https';
import { sleep } from './load.mjs';

const version = 'api-version=7.4';
const collections = ['keys', 'secrets', 'certificates'];

/** A line without what an operation that is done over again makes anew: versions, key material, certificates, times. */
const masked = (line) => line.replace(/[0-9a-f]{32}/g, 'V').replace(/"(x5t|cer|csr|n|x|y|value|created|updated|nbf|exp|deletedDate|scheduledPurgeDate|deleted|purge|request_id)":("[^"]*"|\d+)/g, '"$1":0');

export class VaultClient {
  constructor(installation) {
    this.installation = installation;
    this.agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false, maxSockets: 8 });
  }

  request(method, url, headers, body = '') {
    return new Promise((resolve, reject) => {
      const request = https.request(url, { method, agent: this.agent, timeout: 20000, headers: { ...headers, 'content-length': Buffer.byteLength(body) } }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece) => { text += piece; });
        response.on('end', () => resolve({ status: response.statusCode, answer: text ? JSON.parse(text) : {} }));
        response.on('error', reject);
      });
      request.on('timeout', () => request.destroy(new Error('timed out')));
      request.on('error', reject);
      request.end(body);
    });
  }

  async authorize() {
    const { client } = this.installation;
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: client.clientId, client_secret: client.clientSecret, scope: 'https://vault.azure.net/.default' }).toString();
    const { status, answer } = await this.request('POST', `${client.authority}/${client.tenant}/oauth2/v2.0/token`, { 'content-type': 'application/x-www-form-urlencoded' }, form);
    if (status !== 200) throw new Error(`no token: ${status} ${JSON.stringify(answer)}`);
    this.token = answer.access_token;
  }

  /** Waits until a started vault knows who may ask what, which identity tells it. */
  async untilServed(seconds = 20) {
    for (let i = 0; ; i++) {
      try {
        await this.authorize();
        await this.ask('GET', '/keys');
        return;
      } catch (error) {
        if (i >= seconds * 20) throw error;
        await sleep(50);
      }
    }
  }

  /** The answer to an operation; throws where it is an error. */
  async ask(method, target, body) {
    const url = target.startsWith('https:') ? target : `${this.installation.client.vaultUrl}${target}?${version}`;
    const { status, answer } = await this.request(method, url, { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' }, body && JSON.stringify(body));
    if (status >= 300) throw Object.assign(new Error(`${method} ${target}: ${status} ${JSON.stringify(answer)}`), { status, code: answer.error?.innererror?.code ?? answer.error?.code });
    return answer;
  }

  /** A command with its JSON output; `input` is what it reads. */
  command(words, input = '') {
    const { binary, state } = this.installation;
    const { status, stdout, stderr } = spawnSync(binary, [...words, '--state', state, '--format', 'json'], { encoding: 'utf8', input });
    if (status !== 0) throw new Error(`strongroom ${words.join(' ')}: ${stderr || stdout}`);
    return stdout.trim() ? JSON.parse(stdout.trim().split('\n').at(-1).startsWith('{') ? stdout.trim().split('\n').at(-1) : stdout) : {};
  }

  async all(target) {
    const items = [];
    for (let next = target; next;) {
      const page = await this.ask('GET', next);
      items.push(...page.value);
      next = page.nextLink;
    }
    return items;
  }

  /** What one path shows: its answer, or the error in its place. */
  async shown(target) {
    return this.ask('GET', target).catch((error) => {
      if (!error.status || error.status >= 500) throw error;
      return { refused: `${error.status} ${error.code}` };
    });
  }

  /** Everything that the vault shows of its three collections and its vaults, a line each, sorted. */
  async everything() {
    const lines = new Map();
    const show = async (target) => lines.set(target, JSON.stringify(await this.shown(target)));
    for (const collection of collections) {
      for (const item of await this.all(`/${collection}`)) {
        const name = (item.kid ?? item.id).split('/').at(-1);
        for (const each of await this.all(`/${collection}/${name}/versions`)) await show(new URL(each.kid ?? each.id).pathname);
        await show(`/${collection}/${name}`);
        if (collection === 'keys') await show(`/keys/${name}/rotationpolicy`);
        if (collection === 'certificates') for (const part of ['policy', 'pending']) await show(`/certificates/${name}/${part}`);
      }
      for (const item of await this.all(`/deleted${collection}`)) await show(new URL(item.recoveryId).pathname);
    }
    for (const part of ['contacts', 'issuers']) await show(`/certificates/${part}`);
    for (const words of [['vault', 'list'], ['vault', 'list', '--deleted']]) {
      for (const vault of this.command(words)) lines.set(`${words.join(' ')} ${vault.name}`, JSON.stringify(words.length === 2 ? this.command(['vault', 'show', vault.name]) : vault));
    }
    return [...lines].map(([target, shown]) => `${target} ${shown}`).sort();
  }

  /** Waits until an operation of a certificate is over. */
  async completed(name) {
    for (let i = 0; i < 200; i++) {
      const { status } = await this.ask('GET', `/certificates/${name}/pending`);
      if (status !== 'inProgress') return status;
      await sleep(20);
    }
    throw new Error(`${name} is still in progress`);
  }
}

/** The first line in which two states differ; undefined where there is none. Lines are compared without what is made anew if `isLoose`. */
export function difference(got, want, isLoose) {
  const of = (lines) => (isLoose ? lines.map(masked).sort() : lines);
  const [there, wanted] = [of(got), of(want)];
  const surplus = there.filter((line) => !wanted.includes(line));
  const missing = wanted.filter((line) => !there.includes(line));
  if (!surplus.length && !missing.length && there.length === wanted.length) return undefined;
  return `has ${surplus.length} lines that were not expected (${surplus[0]?.slice(0, 300)}) and lacks ${missing.length} (${missing[0]?.slice(0, 300)})`;
}

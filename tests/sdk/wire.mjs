// Bytes on the wire: TLS sockets on which tests send what no client library would, and what came back, read strictly.
import tls from 'node:tls';
import { sleep } from './steps.mjs';

/** One answer at the start of `bytes`, or undefined while it is not whole; `hasBody` is false after a HEAD. */
function takeAnswer(bytes, hasBody, hasEnded) {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const lines = bytes.subarray(0, headEnd).toString('latin1').split('\r\n');
  const first = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(lines[0]);
  if (!first) throw new Error(`not a status line: ${JSON.stringify(lines[0].slice(0, 80))}`);
  const headers = {};
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new Error(`not a header: ${JSON.stringify(line)}`);
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const status = Number(first[1]);
  const start = headEnd + 4;
  if (status < 200) return { status, headers, body: '', used: start };
  if (!hasBody || status === 204 || status === 304) return { status, headers, body: '', used: start };
  if (headers['content-length'] !== undefined) {
    const end = start + Number(headers['content-length']);
    return bytes.length >= end ? { status, headers, body: bytes.subarray(start, end).toString('latin1'), used: end } : undefined;
  }
  if (!hasEnded) return undefined;
  return { status, headers, body: bytes.subarray(start).toString('latin1'), used: bytes.length };
}

export class Conversation {
  /** Opens a TLS connection to `origin`. */
  static async open(origin, options = {}) {
    const conversation = new Conversation();
    const { hostname, port } = new URL(origin);
    conversation.host = `${hostname}:${port}`;
    conversation.received = Buffer.alloc(0);
    conversation.ended = false;
    conversation.socket = tls.connect({ host: hostname, port: Number(port), ...options });
    conversation.socket.on('data', (piece) => { conversation.received = Buffer.concat([conversation.received, piece]); });
    conversation.socket.on('end', () => { conversation.ended = true; });
    conversation.socket.on('close', () => { conversation.ended = true; });
    conversation.failed = undefined;
    conversation.socket.on('error', (error) => { conversation.failed = error; conversation.ended = true; });
    await new Promise((resolve, reject) => {
      conversation.socket.once('secureConnect', resolve);
      conversation.socket.once('error', reject);
    });
    return conversation;
  }

  send(bytes) {
    if (!this.socket.destroyed) this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    return this;
  }

  /** The next answer; rejects where none comes. */
  async answer({ hasBody = true, seconds = 10 } = {}) {
    const until = performance.now() + seconds * 1000;
    for (;;) {
      const ended = this.ended;
      const answer = takeAnswer(this.received, hasBody, ended);
      if (answer) {
        this.received = this.received.subarray(answer.used);
        return answer;
      }
      if (ended) throw new Error(`closed without an answer (${this.received.length} bytes, ${this.failed?.code ?? 'end'})`);
      if (performance.now() > until) throw new Error(`no answer in ${seconds} s (${this.received.length} bytes)`);
      await sleep(2);
    }
  }

  /** Waits until the server has closed; what else it sent by then. */
  async rest(seconds = 10) {
    const until = performance.now() + seconds * 1000;
    while (!this.ended) {
      if (performance.now() > until) throw new Error(`still open after ${seconds} s`);
      await sleep(2);
    }
    return this.received;
  }

  close() {
    this.socket.destroy();
  }
}

/** Sends `bytes` on a connection of its own; gives the first answer. */
export async function say(origin, bytes, options) {
  const conversation = await Conversation.open(origin);
  try {
    return await conversation.send(bytes).answer(options);
  } finally {
    conversation.close();
  }
}

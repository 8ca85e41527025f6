// Power cuts, replayed: from a prefix of lossyfs's log, what a disk may hold. Changes that were fsynced are there; of those that were not, any subset
// may be, writes torn at 512 bytes; names appear only as far as their folder was fsynced, or by luck.
import fs from 'node:fs';
import path from 'node:path';
import { generator } from './generator.mjs';

const kinds = ['', 'write', 'truncate', 'create', 'mkdir', 'rename', 'unlink', 'rmdir', 'fsync', 'fsyncdir', 'mark'];
const sector = 512;

/** The log's records, in order. */
export function readLog(file) {
  const bytes = fs.readFileSync(file);
  const records = [];
  for (let at = 0; at + 4 <= bytes.length;) {
    const rest = bytes.readUInt32BE(at);
    if (at + 4 + rest > bytes.length) break;
    const pathLength = bytes.readUInt16BE(at + 21);
    records.push({
      kind: kinds[bytes[at + 4]],
      inode: bytes.readBigUInt64BE(at + 5),
      number: Number(bytes.readBigUInt64BE(at + 13)),
      path: bytes.toString('utf8', at + 23, at + 23 + pathLength),
      data: bytes.subarray(at + 23 + pathLength, at + 4 + rest),
    });
    at += 4 + rest;
  }
  return records;
}

/** A file's content, which grows in place. */
class Content {
  constructor(bytes = Buffer.alloc(0)) {
    this.bytes = bytes;
    this.length = bytes.length;
  }

  apply({ kind, number, data }) {
    if (kind === 'truncate') this.resize(number);
    else {
      if (number + data.length > this.length) this.resize(number + data.length);
      data.copy(this.bytes, number);
    }
  }

  resize(length) {
    if (length > this.bytes.length) {
      const grown = Buffer.alloc(Math.max(length, this.bytes.length * 2));
      this.bytes.copy(grown, 0, 0, this.length);
      this.bytes = grown;
    }
    if (length < this.length) this.bytes.fill(0, length, this.length);
    this.length = length;
  }

  get view() {
    return this.bytes.subarray(0, this.length);
  }
}

/** What is durable of a file, and what was done to it since its last fsync. */
class File {
  constructor() {
    this.durable = new Content();
    this.pending = [];
    this.pool = null; // where cuts that hold it whole link it from
  }

  sync() {
    if (this.pending.length) this.pool = null;
    for (const change of this.pending) this.durable.apply(change);
    this.pending = [];
  }

  /** What may be left of it after a cut. */
  afterCut(random, keep) {
    if (!this.pending.length) return this.durable.view;
    const content = new Content(Buffer.from(this.durable.view));
    for (const change of this.pending) {
      if (change.kind === 'truncate') {
        if (random() < keep) content.apply(change);
        continue;
      }
      for (let at = 0; at < change.data.length;) {
        const until = Math.min(change.data.length, at + sector - ((change.number + at) % sector));
        if (random() < keep) content.apply({ kind: 'write', number: change.number + at, data: change.data.subarray(at, until) });
        at = until;
      }
    }
    return content.view;
  }
}

/** Follows the log and can be cut after any record. One that `forgets` says of some fsyncs that they were done. */
export class Disk {
  constructor(forgets = () => false) {
    this.forgets = forgets;
    this.files = new Map(); // by inode, which the backing filesystem gives to a new file once the old one is gone
    this.names = new Map([['/', 'dir']]); // what is durable: path to File or 'dir'
    this.changes = []; // of names, not yet durable: {dirs, apply}
    this.pooled = 0;
  }

  change(dirs, apply) {
    this.changes.push({ dirs: new Set(dirs), apply });
  }

  follow({ kind, inode, number, path: name, data }) {
    const dir = path.dirname(name);
    const file = this.files.get(inode);
    if (kind.startsWith('fsync') && this.forgets()) return;
    if (kind === 'write' || kind === 'truncate') file.pending.push({ kind, number, data });
    else if (kind === 'fsync') file.sync();
    else if (kind === 'create') {
      const made = new File();
      this.files.set(inode, made);
      this.change([dir], (names) => names.set(name, made));
    } else if (kind === 'mkdir') this.change([dir], (names) => names.set(name, 'dir'));
    else if (kind === 'unlink' || kind === 'rmdir') this.change([dir], (names) => names.delete(name));
    else if (kind === 'rename') {
      const to = data.toString();
      this.change([dir, path.dirname(to)], (names) => { names.delete(name); names.set(to, file); });
    } else if (kind === 'fsyncdir') {
      const later = [];
      for (const change of this.changes) {
        if (change.dirs.has(name)) change.apply(this.names);
        else later.push(change);
      }
      this.changes = later;
    }
  }

  /**
   * Writes into `to` what the disk may hold if the power goes now. `keep`: how likely an unsynced change is to have reached it.
   * Files of which `isImmutable` says that nobody changes them in place are written once, beside `to`, and linked.
   */
  cut(to, seed, keep, isImmutable = () => false) {
    const random = generator(seed);
    const names = new Map(this.names);
    for (const change of this.changes) if (random() < keep) change.apply(names);
    const sorted = [...names].sort(([a], [b]) => a.length - b.length);
    fs.mkdirSync(to, { recursive: true, mode: 0o700 });
    for (const [name, what] of sorted) if (what === 'dir' && names.get(path.dirname(name)) === 'dir') fs.mkdirSync(path.join(to, name), { recursive: true, mode: 0o700 });
    for (const [name, what] of sorted) {
      if (what === 'dir' || !fs.existsSync(path.join(to, path.dirname(name)))) continue;
      if (what.pending.length || !isImmutable(name)) {
        fs.writeFileSync(path.join(to, name), what.afterCut(random, keep), { mode: 0o600 });
        continue;
      }
      if (!what.pool) {
        what.pool = path.join(path.dirname(to), `file-${this.pooled++}`);
        fs.writeFileSync(what.pool, what.durable.view, { mode: 0o600 });
      }
      fs.linkSync(what.pool, path.join(to, name));
    }
  }
}

// Power cuts, replayed: from a prefix of lossyfs's log, what a disk may hold. Changes that were fsynced are there; of those that were not, any subset
// may be, writes torn at 512 bytes; names appear only as far as their folder was fsynced, or by luck.
import fs from 'node:fs';
import path from 'node:path';

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

/** A small reproducible generator. */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}

class File {
  constructor() {
    this.durable = Buffer.alloc(0);
    this.pending = [];
  }

  apply(content, change) {
    if (change.kind === 'truncate') {
      const resized = Buffer.alloc(change.number);
      content.copy(resized, 0, 0, Math.min(content.length, change.number));
      return resized;
    }
    const end = change.number + change.data.length;
    const grown = end > content.length ? Buffer.concat([content, Buffer.alloc(end - content.length)]) : Buffer.from(content);
    change.data.copy(grown, change.number);
    return grown;
  }

  sync() {
    for (const change of this.pending) this.durable = this.apply(this.durable, change);
    this.pending = [];
  }

  /** What may be left of it after a cut. */
  afterCut(random, keep) {
    let content = this.durable;
    for (const change of this.pending) {
      if (change.kind === 'truncate') {
        if (random() < keep) content = this.apply(content, change);
        continue;
      }
      for (let at = 0; at < change.data.length;) {
        const until = Math.min(change.data.length, at + sector - ((change.number + at) % sector));
        if (random() < keep) content = this.apply(content, { number: change.number + at, data: change.data.subarray(at, until) });
        at = until;
      }
    }
    return content;
  }
}

/** Follows the log and can be cut after any record. */
export class Disk {
  constructor() {
    this.files = new Map(); // by inode
    this.names = new Map([['/', 'dir']]); // what is durable: path to inode or 'dir'
    this.changes = []; // of names, not yet durable: {dirs, apply}
  }

  file(inode) {
    if (!this.files.has(inode)) this.files.set(inode, new File());
    return this.files.get(inode);
  }

  change(dirs, apply) {
    this.changes.push({ dirs: new Set(dirs), apply });
  }

  follow({ kind, inode, number, path: name, data }) {
    const dir = path.dirname(name);
    if (kind === 'write' || kind === 'truncate') this.file(inode).pending.push({ kind, number, data });
    else if (kind === 'fsync') this.file(inode).sync();
    else if (kind === 'create') {
      this.files.set(inode, new File());
      this.change([dir], (names) => names.set(name, inode));
    } else if (kind === 'mkdir') this.change([dir], (names) => names.set(name, 'dir'));
    else if (kind === 'unlink' || kind === 'rmdir') this.change([dir], (names) => names.delete(name));
    else if (kind === 'rename') {
      const to = data.toString();
      this.change([dir, path.dirname(to)], (names) => { if (names.has(name) || inode) { names.delete(name); names.set(to, inode); } });
    } else if (kind === 'fsyncdir') {
      const later = [];
      for (const change of this.changes) {
        if (change.dirs.has(name)) change.apply(this.names);
        else later.push(change);
      }
      this.changes = later;
    }
  }

  /** Writes into `to` what the disk may hold if the power goes now. `keep`: how likely an unsynced change is to have reached it. */
  cut(to, seed, keep) {
    const random = generator(seed);
    const names = new Map(this.names);
    for (const change of this.changes) if (random() < keep) change.apply(names);
    const sorted = [...names].sort(([a], [b]) => a.length - b.length);
    fs.mkdirSync(to, { recursive: true, mode: 0o700 });
    for (const [name, what] of sorted) if (what === 'dir' && names.get(path.dirname(name)) === 'dir') fs.mkdirSync(path.join(to, name), { recursive: true, mode: 0o700 });
    for (const [name, what] of sorted) {
      if (what !== 'dir' && fs.existsSync(path.join(to, path.dirname(name)))) fs.writeFileSync(path.join(to, name), this.file(what).afterCut(random, keep), { mode: 0o600 });
    }
  }
}

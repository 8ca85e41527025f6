// What root can read of another process's memory.
import fs from 'node:fs';

/** The writable memory of a process that root can read; secret memory cannot be. */
export function* memoryOf(pid) {
  const mem = fs.openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const line of fs.readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const match = /^([0-9a-f]+)-([0-9a-f]+) (rw..) \S+ \S+ \S+\s*(.*)$/.exec(line);
      if (!match || /secretmem/.test(match[4])) continue;
      const from = BigInt(`0x${match[1]}`);
      const to = BigInt(`0x${match[2]}`);
      for (let at = from; at < to; at += 1n << 22n) {
        const end = at + (1n << 22n) + 256n < to ? at + (1n << 22n) + 256n : to;
        const bytes = Buffer.alloc(Number(end - at));
        let got = 0;
        try {
          got = fs.readSync(mem, bytes, 0, bytes.length, at);
        } catch {
          continue; // not mapped any more, or closed to root too
        }
        yield { bytes: bytes.subarray(0, got), where: `${match[4] || 'anonymous'} ${(at - from).toString(16)} of ${match[1]}` };
      }
    }
  } finally {
    fs.closeSync(mem);
  }
}
/** Where the needles (a name and bytes each) lie in a process's memory. */
export function findInMemory(pid, needles) {
  const found = [];
  for (const { bytes, where } of memoryOf(pid)) {
    for (const [what, needle] of Object.entries(needles)) {
      const at = bytes.indexOf(needle);
      if (at >= 0) found.push(`${what} in ${where} +${at.toString(16)}: ${JSON.stringify(bytes.subarray(Math.max(0, at - 60), at + 60).toString('latin1').replace(/[^\x20-\x7e]/g, '.'))}`);
    }
  }
  return found;
}

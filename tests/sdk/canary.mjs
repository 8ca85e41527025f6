// The canary scan: after everything, no file under the state directory, no log line and no core file may hold what a client gave
// in clear: contents, names, metadata, secrets, key bytes. Suites use these words wherever a client may choose one.
import fs from 'node:fs';
import path from 'node:path';

/** Words that suites use as blob contents, names and metadata. */
export const words = {
  content: 'canary-content-kestrel-4471',
  container: 'canary-container-heron',
  blob: 'canary-blob-osprey',
  metadata: 'canary-metadata-plover',
  metadataName: 'canarymetaname',
  key: 'canary-key-merlin',
  tag: 'canary-tag-avocet',
  account: 'canaryaccount',
  principal: 'canary-principal-dunlin',
  person: 'canary-person-siskin',
  password: 'canary password of a twite',
};

/** All forms in which a canary could lie about: as text, UTF-16, hex, Base64 at each alignment, percent-encoded. */
export function canaries(installation) {
  const texts = [...Object.values(words), installation.client.clientSecret];
  const forms = new Map();
  for (const text of texts) {
    const bytes = Buffer.from(text);
    forms.set(text, bytes);
    forms.set(`${text} (UTF-16)`, Buffer.from(text, 'utf16le'));
    forms.set(`${text} (hex)`, Buffer.from(bytes.toString('hex')));
    for (const shift of [0, 1, 2]) {
      const encoded = Buffer.concat([Buffer.alloc(shift, 'x'), bytes]).toString('base64');
      forms.set(`${text} (Base64, ${shift})`, Buffer.from(encoded.slice(shift ? 4 : 0, -4)));
    }
  }
  return forms;
}

function* filesUnder(dir) {
  for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
    const file = path.join(dir, entry.name);
    if (entry.isDirectory()) yield* filesUnder(file);
    else if (entry.isFile()) yield file;
  }
}

/** Where canaries are found: in file names, in files, in the log. */
export function findCanaries(installation, known) {
  const found = [];
  const look = (bytes, where) => {
    for (const [name, form] of known) if (bytes.includes(form)) found.push(`${name} in ${where}`);
  };
  for (const file of filesUnder(installation.state)) {
    look(Buffer.from(file), 'a file name');
    let bytes;
    try {
      bytes = fs.readFileSync(file);
    } catch {
      continue; // swept meanwhile
    }
    look(bytes, path.relative(installation.state, file));
    if (bytes.subarray(0, 16).toString('latin1').startsWith('SQLite format 3')) found.push(`an unsealed database: ${path.relative(installation.state, file)}`);
  }
  look(Buffer.from(installation.log), 'the log');
  for (const entry of fs.readdirSync(process.cwd())) if (/^core(\.\d+)?$/.test(entry) && fs.statSync(entry).isFile()) look(fs.readFileSync(entry), entry);
  return found;
}

/** Shows that the scanner can find: one canary deep in a large file, one in a file's name. */
export function plantAndFind(installation, known) {
  const planted = path.join(installation.state, 'blob', 'planted');
  const named = path.join(installation.state, 'blob', words.blob);
  fs.writeFileSync(planted, Buffer.concat([Buffer.alloc(3 << 20, 7), Buffer.from(words.content), Buffer.alloc(999)]));
  fs.writeFileSync(named, '');
  const found = findCanaries(installation, known);
  fs.rmSync(planted);
  fs.rmSync(named);
  return found.some((text) => text.includes(words.content) && text.includes('planted')) && found.some((text) => text.includes('a file name'));
}

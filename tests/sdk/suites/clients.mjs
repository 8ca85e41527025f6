// Clients that customers have and we have no part in: those that this machine has put, list, get and delete files.
import { spawn, spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { suite, step, finish, must, equal, installation, unique } from '../steps.mjs';

suite('clients');
const { client } = installation;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-clients-'));
process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
const account = installation.json(['account', 'create', `cli${unique()}`]);
const endpoint = `${client.blobEndpoint}/${account.name}`;
const connection = /connect +(\S+)/.exec(installation.run(['account', 'keys', account.name]).stdout)[1];
const trust = { REQUESTS_CA_BUNDLE: client.caFile, SSL_CERT_FILE: client.caFile, CURL_CA_BUNDLE: client.caFile, AZURE_STORAGE_CONNECTION_STRING: connection, AZURE_CONFIG_DIR: path.join(folder, 'az'), RCLONE_CONFIG: path.join(folder, 'rclone.conf'), HOME: folder };

/** Runs a command to its end; throws with what it printed where it fails. */
function run(command, words, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { env: { ...process.env, ...trust, ...env }, cwd: folder });
    let output = '';
    child.stdout.on('data', (text) => { output += text; });
    child.stderr.on('data', (text) => { output += text; });
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`${command} ${words.slice(0, 3).join(' ')}: ${code}: ${output.slice(-600)}`))));
  });
}
const works = (command, words) => spawnSync(command, words, { stdio: 'ignore' }).status === 0;
/** A step with a client; says so where the machine lacks it. */
async function stepWith(isThere, name, work) {
  if (isThere) return step(name, work, 180);
  console.log(`skip ${process.env.STRONGROOM_SUITE ?? 'sdk'}.clients.${name} (not on this machine)`);
}

const sizes = [0, 1, 1000, 65536, 300000, 20 << 20];
const source = path.join(folder, 'source');
fs.mkdirSync(path.join(source, 'a folder', 'deeper'), { recursive: true });
for (const size of sizes) fs.writeFileSync(path.join(source, size % 2 ? 'a folder/deeper' : 'a folder', `${size} bytes & more é.bin`), crypto.randomBytes(size));
function tree(dir) {
  const found = {};
  for (const entry of fs.readdirSync(dir, { withFileTypes: true, recursive: true })) {
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile()) found[path.relative(dir, file)] = crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex');
  }
  return JSON.stringify(Object.fromEntries(Object.entries(found).sort()));
}

await stepWith(works('rclone', ['version']), 'rclone_copies_a_tree_there_and_back', async () => {
  // Debian's rclone wants the account in the host's name, which only resolves where the machine says so: a proxy leads it here.
  const proxy = http.createServer().on('connect', (request, near, head) => {
    const far = net.connect(installation.ports['blob-port'], '127.0.0.1', () => { near.write('HTTP/1.1 200 OK\r\n\r\n'); far.write(head); near.pipe(far).pipe(near); });
    for (const [one, other] of [[near, far], [far, near]]) one.on('error', () => other.destroy());
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  fs.writeFileSync(trust.RCLONE_CONFIG, '');
  const rclone = (...words) => run('rclone', [...words, ...at], { HTTPS_PROXY: `http://127.0.0.1:${proxy.address().port}` });
  const at = ['--azureblob-account', account.name, '--azureblob-key', account.key1, '--azureblob-endpoint', `blob.localhost:${installation.ports['blob-port']}`];
  await rclone('mkdir', ':azureblob:rclone');
  await rclone('copy', source, ':azureblob:rclone/tree');
  equal((await rclone('lsf', '-R', '--files-only', ':azureblob:rclone')).trim().split('\n').length, sizes.length, 'files listed');
  await rclone('check', '--download', source, ':azureblob:rclone/tree');
  await rclone('copy', ':azureblob:rclone/tree', path.join(folder, 'rclone'));
  equal(tree(path.join(folder, 'rclone')), tree(source), 'what came back');
  await rclone('moveto', ':azureblob:rclone/tree/a folder/1000 bytes & more é.bin', path.join(folder, 'moved'));
  await rclone('purge', ':azureblob:rclone');
  must(!(await rclone('lsf', ':azureblob:')).includes('rclone/'), 'the container is gone');
  proxy.close();
});
await stepWith(works('curl', ['--version']), 'curl_with_a_token', async () => {
  const { access_token: token } = JSON.parse(await run('curl', ['-sS', '--fail', '--cacert', client.caFile, '-d', 'grant_type=client_credentials', '-d', `client_id=${client.clientId}`, '--data-urlencode', `client_secret=${client.clientSecret}`, '-d', 'scope=https://storage.azure.com/.default', `${client.authority}/${client.tenant}/oauth2/v2.0/token`]));
  const curl = (...words) => run('curl', ['-sS', '--fail', '--cacert', client.caFile, '-H', `authorization: Bearer ${token}`, '-H', 'x-ms-version: 2024-08-04', ...words]);
  await curl('-X', 'PUT', '-H', 'content-length: 0', `${endpoint}/curl?restype=container`);
  const file = path.join(source, 'a folder', `${20 << 20} bytes & more é.bin`);
  await curl('-T', file, '-H', 'x-ms-blob-type: BlockBlob', `${endpoint}/curl/big`);
  await curl('-o', path.join(folder, 'curl'), `${endpoint}/curl/big`);
  must(fs.readFileSync(path.join(folder, 'curl')).equals(fs.readFileSync(file)), 'what came back');
  equal((await curl('-r', '100-199', '-o', path.join(folder, 'part'), '-w', '%{http_code}', `${endpoint}/curl/big`)), '206', 'a range');
  must(fs.readFileSync(path.join(folder, 'part')).equals(fs.readFileSync(file).subarray(100, 200)), 'the range');
  must((await curl('-I', `${endpoint}/curl/big`)).toLowerCase().includes(`content-length: ${20 << 20}`), 'HEAD');
  must((await curl(`${endpoint}/curl?restype=container&comp=list`)).includes('<Name>big</Name>'), 'listed');
  await curl('-X', 'DELETE', `${endpoint}/curl/big`);
});
const vaultPython = ['/usr/bin/python3', 'python3'].find((one) => works(one, ['-c', 'import azure.keyvault.secrets']));
await stepWith(vaultPython, 'azure_keyvault_secrets_for_python', async () => {
  const script = path.join(folder, 'secrets.py');
  fs.writeFileSync(script, `
import json, time, urllib.parse, urllib.request
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.core.credentials import AccessToken
from azure.keyvault.secrets import SecretClient

def refused(kind, call, *arguments):
    try:
        call(*arguments)
    except kind as error:
        return error
    raise SystemExit(f"{call.__name__}{arguments} was not refused")

class Credential: # Debian's azure.identity asks a cloud of its own about authorities that it does not know
    def get_token(self, *scopes, **options):
        form = {"grant_type": "client_credentials", "client_id": ${JSON.stringify(client.clientId)}, "client_secret": ${JSON.stringify(client.clientSecret)}, "scope": scopes[0]}
        answer = json.load(urllib.request.urlopen(${JSON.stringify(`${client.authority}/${client.tenant}/oauth2/v2.0/token`)}, urllib.parse.urlencode(form).encode()))
        return AccessToken(answer["access_token"], int(time.time()) + answer["expires_in"])

client = SecretClient(${JSON.stringify(client.vaultUrl)}, Credential(), verify_challenge_resource=False)
name = "python-${unique()}"
first = client.set_secret(name, "välue", content_type="text/plain", tags={"a": "b"})
second = client.set_secret(name, "two")
assert client.get_secret(name).value == "two"
old = client.get_secret(name, first.properties.version)
assert old.value == "välue" and old.properties.content_type == "text/plain" and old.properties.tags == {"a": "b"}
assert len(list(client.list_properties_of_secret_versions(name))) == 2
assert name in [each.name for each in client.list_properties_of_secrets()]
changed = client.update_secret_properties(name, second.properties.version, enabled=False)
assert changed.enabled is False
assert refused(HttpResponseError, client.get_secret, name).status_code == 403
client.update_secret_properties(name, second.properties.version, enabled=True)
backup = client.backup_secret(name)
refused(ResourceExistsError, client.restore_secret_backup, backup)
deleted = client.begin_delete_secret(name).result()
assert deleted.recovery_id and deleted.scheduled_purge_date
refused(ResourceExistsError, client.set_secret, name, "three")
client.begin_recover_deleted_secret(name).wait()
client.begin_delete_secret(name).wait()
assert client.get_deleted_secret(name).name == name
assert name in [each.name for each in client.list_deleted_secrets()]
client.purge_deleted_secret(name)
refused(ResourceNotFoundError, client.get_deleted_secret, name)
assert client.restore_secret_backup(backup).version == second.properties.version
assert client.get_secret(name).value == "two"
`);
  await run(vaultPython, [script]);
});
const python = ['/usr/bin/python3', 'python3'].find((one) => works(one, ['-c', 'import azure.storage.blob']));
await stepWith(python, 'azure_storage_blob_for_python', async () => {
  const script = path.join(folder, 'client.py');
  fs.writeFileSync(script, `
import os, sys
from azure.storage.blob import BlobServiceClient
service = BlobServiceClient.from_connection_string(os.environ["AZURE_STORAGE_CONNECTION_STRING"])
container = service.get_container_client("python")
container.create_container(metadata={"one": "two"})
data = {f"blob {size} é": os.urandom(size) for size in (0, 1, 70000, 20 << 20)}
for name, content in data.items():
    container.upload_blob(name, content, metadata={"size": str(len(content))}, max_concurrency=4)
assert sorted(blob.name for blob in container.list_blobs()) == sorted(data), "names"
for name, content in data.items():
    blob = container.get_blob_client(name)
    assert blob.download_blob(max_concurrency=4).readall() == content, name
    assert blob.get_blob_properties().metadata == {"size": str(len(content))}, "metadata"
    if len(content) > 1000:
        assert blob.download_blob(offset=500, length=300).readall() == content[500:800], "range"
container.get_blob_client("blob 1 é").delete_blob()
assert len(list(container.list_blobs())) == len(data) - 1
try:
    container.get_blob_client("nothing").download_blob()
    sys.exit("a blob that is not there was read")
except Exception as error:
    assert error.error_code == "BlobNotFound", error
container.delete_container()
`);
  await run(python, [script]);
});
await stepWith(works('az', ['version']), 'az_storage_blob', async () => {
  await run('az', ['storage', 'container', 'create', '-n', 'azure']);
  const file = path.join(source, 'a folder', `${300000} bytes & more é.bin`);
  await run('az', ['storage', 'blob', 'upload', '-c', 'azure', '-n', 'blob', '-f', file]);
  equal((await run('az', ['storage', 'blob', 'list', '-c', 'azure', '--query', '[].name', '-o', 'tsv'])).trim(), 'blob', 'listed');
  await run('az', ['storage', 'blob', 'download', '-c', 'azure', '-n', 'blob', '-f', path.join(folder, 'az.bin')]);
  must(fs.readFileSync(path.join(folder, 'az.bin')).equals(fs.readFileSync(file)), 'what came back');
  await run('az', ['storage', 'blob', 'delete', '-c', 'azure', '-n', 'blob']);
});
finish();

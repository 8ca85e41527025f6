// Databases that were set back: the vault knows how new they were, and they open only when the administrator says so.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { suite, step, finish, must, equal, installation } from '../steps.mjs';
import { Installation, rerunTrusting } from '../installation.mjs';

/* The blob client trusts one CA at its start: the installation that is set back gets a process of its own. */
if (!process.argv.includes('--inside')) {
  const own = new Installation(installation.binary);
  await own.init();
  const code = await rerunTrusting(own, process.argv[1], ['--inside']);
  own.remove();
  process.exit(code);
}
const { blobService } = await import('../steps.mjs');
suite('rollback');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-rollback-'));
const copy = (name, from) => fs.cpSync(from, path.join(folder, name), { recursive: true, filter: (file) => !file.endsWith('.sock') });
const putBack = (name, to) => { fs.rmSync(to, { recursive: true }); fs.cpSync(path.join(folder, name), to, { recursive: true }); };
const text = async (container, name) => (await container.getBlockBlobClient(name).downloadToBuffer()).toString();

await step('an_accounts_database_that_was_set_back_opens_only_by_the_administrators_word', async () => {
  try {
    await installation.serve();
    const account = installation.json(['account', 'create', 'ledger']);
    const container = blobService(account).getContainerClient('pages');
    const write = (name) => container.getBlockBlobClient(name).upload(name, name.length);
    await container.create();
    await write('first');
    await installation.stop();
    const accounts = path.join(installation.state, 'blob', 'accounts');
    copy('old', accounts);
    await installation.serve();
    await write('second');
    const anchor = () => installation.json(['rollback', 'list']).value.find((item) => item.label === 'ledger')?.anchor ?? 0;
    const before = anchor();
    for (let i = 0; i < 100 && anchor() === before; i++) await new Promise((resolve) => setTimeout(resolve, 30));
    must(anchor() > 0, 'the vault knows an anchor');
    await installation.stop();
    await installation.serve(); /* the same files open again */
    equal(await text(container, 'second'), 'second', 'after a restart');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await installation.stop();
    putBack('old', accounts);
    await installation.serve();
    let refusal;
    try { await text(container, 'first'); } catch (error) { refusal = error; }
    equal(refusal?.statusCode, 500, 'nothing of the old state is served');
    const found = installation.run(['verify'], { allowFailure: true });
    must(found.status === 1 && /rolled back/.test(found.stdout), `verify says why: ${found.stdout}`);
    equal(installation.run(['rollback', 'accept', 'blob', 'none-such', '--yes'], { allowFailure: true }).status, 1, 'an unknown one');
    installation.run(['rollback', 'accept', 'blob', 'ledger', '--yes']);
    equal(await text(container, 'first'), 'first', 'accepted');
    must(!(await container.getBlockBlobClient('second').exists()), 'as it was then');
    const [entry] = installation.run(['audit', 'show', '--operation', 'RollbackAccept']).stdout.trim().split('\n').map((line) => JSON.parse(line));
    equal(`${entry.who.oid} ${entry.detail}`, 'local blob ledger', 'recorded');
    await write('third');
    await installation.stop();
    await installation.serve();
    equal(await text(container, 'third'), 'third', 'and goes on from there');
  } finally {
    await installation.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
});
finish();

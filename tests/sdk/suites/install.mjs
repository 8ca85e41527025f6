// What `make install` puts on a machine, and that it is well-formed.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite, step, finish, must, equal, installation } from '../steps.mjs';

suite('install');
const build = path.resolve(path.dirname(installation.binary), '..', '..');
const has = (command) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
async function stepIf(isPossible, name, work) {
  if (isPossible) return step(name, work);
  console.log(`skip ${process.env.STRONGROOM_SUITE ?? 'sdk'}.install.${name} (not possible on this machine)`);
}
const run = (command, words, options = {}) => spawnSync(command, words, { encoding: 'utf8', ...options });
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-install-'));
process.once('exit', () => fs.rmSync(root, { recursive: true, force: true }));
const { stdout: introspected } = run('meson', ['introspect', '--buildoptions', build]);
const prefix = introspected ? JSON.parse(introspected).find(({ name }) => name === 'prefix').value : '/usr/local';
const at = (...parts) => path.join(root, prefix, ...parts);

await stepIf(fs.existsSync(path.join(build, 'build.ninja')) && has('meson'), 'destdir_gets_all_files', () => {
  const installed = run('meson', ['install', '-C', build, '--no-rebuild'], { env: { ...process.env, DESTDIR: root } });
  equal(installed.status, 0, installed.stderr + installed.stdout);
  for (const file of [['bin', 'strongroom'], ['share', 'man', 'man1', 'strongroom.1'], ['share', 'bash-completion', 'completions', 'strongroom'], ['lib', 'systemd', 'system', 'strongroom.service'], ['lib', 'sysusers.d', 'strongroom.conf']]) must(fs.existsSync(at(...file)), file.join('/'));
  equal(run(at('bin', 'strongroom'), ['--version']).status, 0, 'the binary runs');
  must(fs.readFileSync(at('lib', 'systemd', 'system', 'strongroom.service'), 'utf8').includes(`ExecStart=${prefix}/bin/strongroom serve`), 'the unit starts it');
});
const manual = path.join(root, 'strongroom.1');
const completion = path.join(root, 'completion');
fs.writeFileSync(manual, run(installation.binary, ['manual']).stdout);
fs.writeFileSync(completion, run(installation.binary, ['completion']).stdout);
await step('completion_is_bash_and_completes', () => {
  equal(run('bash', ['-n', completion]).status, 0, 'bash -n');
  const complete = (...words) => run('bash', ['-c', `source ${completion}; COMP_WORDS=(strongroom ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; $(complete -p strongroom | sed 's/.*-F \\([^ ]*\\).*/\\1/'); echo "\${COMPREPLY[@]}"`]).stdout.trim().split(/\s+/);
  must(complete('sta').includes('status'), 'a command');
  must(complete('key', 'dis').includes('disable'), 'a second word');
  must(complete('key', 'disable', '--dry').includes('--dry-run'), 'a flag');
});
await stepIf(has('groff') || has('mandoc'), 'manual_renders_without_warnings', () => {
  if (has('groff')) {
    const rendered = run('groff', ['-man', '-Tutf8', '-ww', '-z', manual]);
    equal(rendered.stderr, '', 'groff -ww');
  }
  if (has('mandoc')) equal(run('mandoc', ['-T', 'lint', '-W', 'warning', manual]).stdout, '', 'mandoc -T lint');
  if (has('man')) equal(run('man', ['-l', manual], { env: { ...process.env, MANWIDTH: '80', MANPAGER: 'cat' } }).stderr, '', 'man -l');
});
await step('manual_and_help_name_every_command', () => {
  const page = fs.readFileSync(manual, 'utf8').replace(/\\-/g, '-').replace(/\\f[A-Z]/g, '');
  const { stdout: help } = run(installation.binary, ['--help']);
  const commands = ['init', 'serve', 'status', 'verify', 'census', 'key create', 'key list', 'key show', 'key rotate', 'key disable', 'key enable', 'account create', 'account list', 'account keys', 'account regenerate-key', 'account rekey', 'account delete', 'principal create', 'principal list', 'principal disable', 'principal enable', 'audit show', 'audit verify', 'config'];
  for (const command of commands) {
    must(help.includes(command), `${command} in the help`);
    must(page.includes(command), `${command} in the manual`);
    const own = run(installation.binary, ['help', ...command.split(' ')]);
    must(own.status === 0 && own.stdout.includes(command), `help ${command}`);
  }
});
await step('a_line_that_names_no_command_is_answered_with_the_nearest', () => {
  for (const [line, meant] of [['sevre', 'strongroom serve'], ['list keys', 'strongroom key list'], ['user create', 'strongroom identity user create'], ['vault', 'strongroom vault show']]) {
    const answer = run(installation.binary, line.split(' '));
    equal(answer.status, 2, line);
    must(answer.stderr.includes(meant), `${line}: ${answer.stderr}`);
  }
  must(!run(installation.binary, ['zzzz']).stderr.includes('Did you mean'), 'nothing is near zzzz');
});
await stepIf(has('systemd-analyze') && fs.existsSync(at('bin', 'strongroom')), 'unit_is_well_formed', () => {
  const unit = path.join(root, 'strongroom.service');
  fs.writeFileSync(unit, fs.readFileSync(at('lib', 'systemd', 'system', 'strongroom.service'), 'utf8').replace(`${prefix}/bin/strongroom`, at('bin', 'strongroom')));
  const verified = run('systemd-analyze', ['verify', unit]);
  equal((verified.stderr + verified.stdout).split('\n').filter((line) => line.includes('strongroom.service') && !line.includes('man strongroom(1)')).join('\n'), '', 'systemd-analyze verify');
});
await stepIf(has('systemd-sysusers') && fs.existsSync(at('bin', 'strongroom')), 'sysusers_is_well_formed', () => {
  const file = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'packaging', 'strongroom.sysusers');
  const checked = run('systemd-sysusers', ['--dry-run', file]);
  equal(checked.status, 0, checked.stderr);
});
finish();

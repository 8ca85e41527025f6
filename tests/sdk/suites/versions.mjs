// Protocol versions: clients older and newer than this program are served alike, and what is no version is refused.
import { suite, step, finish, must, equal, installation, credential, raw, unique } from '../steps.mjs';

suite('versions');
const { client } = installation;
const account = installation.json(['account', 'create', `vers${unique()}`]);
const bearer = async (scope) => `Bearer ${(await credential().getToken(scope)).token}`;
const storageToken = await bearer('https://storage.azure.com/.default');
const vaultToken = await bearer('https://vault.azure.net/.default');
const blob = (version, { method = 'GET', target = `/${account.name}?comp=list`, headers = {} } = {}) => raw(client.blobEndpoint, { method, path: target, headers: { authorization: storageToken, 'content-length': 0, ...(version === undefined ? {} : { 'x-ms-version': version }), ...headers } });
const vault = (version, target = '/keys') => raw(client.vaultUrl, { path: `${target}${version === undefined ? '' : `?api-version=${encodeURIComponent(version)}`}`, headers: { authorization: vaultToken } });

/** What Storage has released, to the version that the newest SDK speaks, and some that are yet to come. */
const released = ['2009-09-19', '2011-08-18', '2012-02-12', '2013-08-15', '2014-02-14', '2015-02-21', '2015-04-05', '2015-07-08', '2015-12-11', '2016-05-31', '2017-04-17', '2017-07-29', '2017-11-09', '2018-03-28', '2018-11-09', '2019-02-02', '2019-07-07', '2019-12-12', '2020-02-10', '2020-04-08', '2020-06-12',
  '2020-08-04', '2020-10-02', '2020-12-06', '2021-02-12', '2021-04-10', '2021-06-08', '2021-08-06', '2021-10-04', '2021-12-02', '2022-11-02', '2023-01-03', '2023-05-03', '2023-08-03', '2023-11-03', '2024-02-04', '2024-05-04', '2024-08-04', '2024-11-04', '2025-01-05', '2025-05-05', '2025-07-05', '2025-11-05', '2026-02-06', '2026-04-06'];
await step('storage_serves_every_version_past_and_to_come', async () => {
  for (const version of [...released, '2026-12-31', '2030-01-01', '2099-12-31']) {
    const answer = await blob(version);
    equal(answer.status, 200, version);
    equal(answer.headers['x-ms-version'], version, 'the version echoed');
  }
});
await step('storage_writes_in_every_version', async () => {
  equal((await blob('2024-08-04', { method: 'PUT', target: `/${account.name}/versions?restype=container` })).status, 201, 'container');
  for (const version of [...released, '2099-12-31']) {
    equal((await blob(version, { method: 'PUT', target: `/${account.name}/versions/${version}`, headers: { 'x-ms-blob-type': 'BlockBlob' } })).status, 201, version);
    equal((await blob(version, { method: 'HEAD', target: `/${account.name}/versions/${version}` })).status, 200, version);
  }
});
await step('storage_refuses_what_is_no_version', async () => {
  for (const version of ['', '1', 'latest', '2024', '2024-08', '2024-8-4', '20240804', '2024/08/04', '2024-13-04', '2024-00-04', '2024-08-00', '2024-08-32', '2024-08-04T00:00:00Z', '2024-08-04-preview', '-024-08-04', '2024-08-04, 2024-08-04', '2009-09-18', '1999-01-01', '2024-08-0x', '9'.repeat(1000)]) {
    const answer = await blob(version);
    equal(answer.status, 400, `x-ms-version ${version.slice(0, 30)}`);
    equal(answer.headers['x-ms-error-code'], 'InvalidHeaderValue', 'code');
  }
});
await step('storage_without_a_version_is_served', async () => {
  equal((await blob(undefined)).status, 200, 'none');
});
await step('vault_serves_every_version_past_and_to_come', async () => {
  for (const version of ['7.0', '7.1', '7.2', '7.3', '7.4', '7.5', '7.6', '7.6-preview.1', '7.6-preview.2', '8.0', '10.1', '2025-07-01', '2025-06-01-preview', '2031-12-31']) {
    const answer = await vault(version);
    equal(answer.status, 200, version);
    must(Array.isArray(JSON.parse(answer.body).value), `a list in ${version}`);
  }
});
await step('vault_refuses_what_is_no_version', async () => {
  for (const version of [undefined, '', 'latest', '7', '7.', '.4', '7.4.1', 'v7.4', '7.x', '6.9', '2.0', '0.7', '07.4', '7.4-', '7.4-beta', '7.4-preview!', '7.4-previewer', '7.4-preview.', '7.4-preview.x', '2025-7-1', '2025-07', '2025-13-01', '2025-00-01', '2025-07-00', '2025-07-32', '2025-07-01-beta', '2025-07-01-preview-2', '2025/07/01', '9'.repeat(1000)]) {
    const answer = await vault(version);
    equal(answer.status, 400, `api-version ${String(version).slice(0, 30)}`);
    equal(JSON.parse(answer.body).error.code, 'BadParameter', 'code');
  }
});
finish();

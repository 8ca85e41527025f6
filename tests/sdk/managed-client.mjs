// A program as a customer has it: unmodified credential classes, told where to ask by its environment alone. It does what it is
// asked on its standard input, one JSON object, and prints what came of it as JSON.
import { ManagedIdentityCredential, DefaultAzureCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';
import { BlobServiceClient } from '@azure/storage-blob';
import fs from 'node:fs';

const asked = JSON.parse(process.argv[2] ?? fs.readFileSync(0, 'utf8'));
const credential = asked.default ? new DefaultAzureCredential(asked.options) : new ManagedIdentityCredential(asked.options);
const said = {};
try {
  const token = (await credential.getToken('https://vault.azure.net/.default')).token;
  said.claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
  if (asked.vault) {
    const secrets = new SecretClient(asked.vault, credential, { disableChallengeResourceVerification: true, retryOptions: { maxRetries: 0 } });
    said.secret = (await secrets.getSecret(asked.secret)).value;
  }
  if (asked.blob) {
    const service = new BlobServiceClient(asked.blob, credential, { retryOptions: { maxTries: 1 } });
    said.content = (await service.getContainerClient('data').getBlockBlobClient('blob').downloadToBuffer()).toString();
  }
} catch (error) {
  said.error = { name: error.name, status: error.statusCode, message: String(error.message).slice(0, 500) };
}
console.log(JSON.stringify(said));

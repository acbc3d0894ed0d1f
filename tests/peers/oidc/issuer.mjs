// A token issuer for tests: oidc-provider on a free port of the loopback interface, with clients of each kind.
//
//   node issuer.mjs '{"accessToken": 3600, "certificate": {JWK}}'
//
// Its first line says where it listens and which key signs; then comes one line for each grant. On standard input,
// `forget` makes it forget every grant, as after a revocation.
import http from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

// Standard output is for events; the provider's notices go beside it.
console.info = console.log = console.warn = console.error;

const options = JSON.parse(process.argv[2] ?? '{}');
const RESOURCE = 'https://mail.example.test';
const SCOPES = 'IMAP.AccessAsUser.All Mail.Send';
const say = (event) => process.stdout.write(JSON.stringify(event) + '\n');

// Everything that the provider remembers, so that it can forget.
const memory = new Map();
class Memory {
  constructor(kind) { this.kind = kind; }
  key(id) { return `${this.kind}:${id}`; }
  async upsert(id, payload) { memory.set(this.key(id), { ...payload }); }
  async find(id) { return memory.get(this.key(id)); }
  async findBy(name, value) {
    for (const [key, payload] of memory) if (key.startsWith(`${this.kind}:`) && payload[name] === value) return payload;
  }
  async findByUid(uid) { return this.findBy('uid', uid); }
  async findByUserCode(code) { return this.findBy('userCode', code); }
  async consume(id) { memory.get(this.key(id)).consumed = Math.floor(Date.now() / 1000); }
  async destroy(id) { memory.delete(this.key(id)); }
  async revokeByGrantId(grant) {
    for (const [key, payload] of memory) if (payload.grantId === grant) memory.delete(key);
  }
}

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const signing = { ...privateKey.export({ format: 'jwk' }), kid: 'issuer-key', alg: 'RS256', use: 'sig' };

const server = http.createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://localhost:${server.address().port}`;
  const code = ['authorization_code', 'refresh_token'];
  const device = 'urn:ietf:params:oauth:grant-type:device_code';
  const clients = [
    { client_id: 'public', token_endpoint_auth_method: 'none', application_type: 'native', redirect_uris: ['http://localhost/'], grant_types: [...code, device], response_types: ['code'] },
    { client_id: 'office', client_secret: 'office-s3cret', redirect_uris: ['https://relay.example.test/wissel'], grant_types: code, response_types: ['code'] },
    { client_id: 'service', client_secret: 'service-s3cret', redirect_uris: [], response_types: [], grant_types: ['client_credentials'] },
  ];
  if (options.certificate) {
    clients.push({ client_id: 'certified', token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'PS256', jwks: { keys: [options.certificate] }, redirect_uris: [], response_types: [], grant_types: ['client_credentials'] });
  }
  const lasts = options.accessToken ?? 3600;
  const provider = new Provider(issuer, {
    adapter: Memory,
    clients,
    jwks: { keys: [signing] },
    cookies: { keys: ['for-tests'] },
    scopes: ['openid', 'offline_access', ...SCOPES.split(' ')],
    claims: { openid: ['sub', 'preferred_username'] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: async (ctx, client) => client.grantTypeAllowed('refresh_token'),
    ttl: { AccessToken: lasts, ClientCredentials: lasts, RefreshToken: 7200, DeviceCode: 300, Session: 3600, Grant: 7200, Interaction: 600, IdToken: 300 },
    findAccount: async (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, preferred_username: id }) }),
    extraTokenClaims: async (ctx, token) => ({ preferred_username: token.accountId ?? 'service' }),
    // Dovecot 2.3 takes `JWT` only, not `at+jwt` (RFC 9068).
    formats: { customizers: { jwt: (ctx, token, parts) => { parts.header = { ...parts.header, typ: 'JWT' }; } } },
    features: {
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: SCOPES, audience: RESOURCE, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }),
      },
    },
  });
  provider.on('grant.success', (ctx) => say({ grant: ctx.oidc.params.grant_type, granted: true }));
  provider.on('grant.error', (ctx, error) => say({ grant: ctx.oidc.params?.grant_type, granted: false, error: error.message, detail: error.error_description }));
  server.on('request', provider.callback());
  say({ issuer, kid: signing.kid, key: publicKey.export({ type: 'spki', format: 'pem' }) });
});

createInterface({ input: process.stdin })
  .on('line', (line) => { if (line === 'forget') { memory.clear(); say({ forgotten: true }); } })
  .on('close', () => process.exit(0));

// A car maker: oidc-provider as its authorisation server, and an API for the state of cars.
//
//   node car_maker.mjs PORT REDIRECT_URI
//
// Prints one line when it listens. POST /test/revoke ends all grants, as a new password of the owner does. Only for tests:
// any name and password can log in. The user "family" has two cars, all others have the first of them.

import { Provider } from 'oidc-provider';

const [port, redirectUri] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const CARS = [
  { id: 'car-1', vin: 'WBY1Z21000V000001', name: 'Zoe' },
  { id: 'car-2', vin: 'WBY1Z21000V000002', name: 'Max' },
];
const SCOPE = 'vehicle:read';

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'chargekeeper',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  }],
  scopes: ['openid', 'offline_access', SCOPE],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async (_ctx, client, code) =>
    client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  features: { devInteractions: { enabled: true }, revocation: { enabled: true } },
  ttl: { AccessToken: 3600, RefreshToken: 90 * 24 * 3600, Grant: 90 * 24 * 3600, Session: 3600, Interaction: 600 },
  cookies: { keys: ['only for tests'] },
  findAccount: async (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
});

const grants = new Set();
for (const event of ['grant.success']) {
  provider.on(event, (ctx) => grants.add(ctx.oidc.entities.Grant?.jti ?? ctx.oidc.entities.AccessToken?.grantId));
}

async function endEverything() {
  for (const id of grants) {
    for (const kind of ['AccessToken', 'RefreshToken', 'AuthorizationCode']) {
      await provider[kind].adapter.revokeByGrantId(id);
    }
    const grant = await provider.Grant.find(id);
    if (grant) await grant.destroy();
  }
  grants.clear();
}

provider.use(async (ctx, next) => {
  if (ctx.path === '/test/revoke' && ctx.method === 'POST') {
    await endEverything();
    ctx.status = 204;
  } else if (ctx.path.startsWith('/api/vehicles')) {
    const token = await provider.AccessToken.find((ctx.get('Authorization') || '').replace(/^Bearer /, ''));
    if (!token || token.isExpired) {
      ctx.status = 401;
      ctx.body = { error: 'invalid_token' };
    } else if (!token.scopes.has(SCOPE)) {
      ctx.status = 403;
      ctx.body = { error: 'insufficient_scope' };
    } else if (ctx.path === '/api/vehicles') {
      ctx.body = { vehicles: token.accountId === 'family' ? CARS : CARS.slice(0, 1) };
    } else {
      ctx.body = { battery_percent: 64, plugged_in: true, charging: true, range_km: 210, seen_ms: Date.now() };
    }
  } else {
    await next();
  }
});

provider.listen(Number(port), '127.0.0.1', () => console.log(`listening on ${issuer}`));

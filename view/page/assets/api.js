// Questions to /v1. An answer that is no success throws a Refusal with the code and the sentence of the server.

export class Refusal extends Error {
  constructor(status, code, message, retryAfterSeconds) {
    super(message);
    Object.assign(this, {status, code, retryAfterSeconds});
  }
}

async function answer(path, options) {
  let response;
  try {
    response = await fetch(path, {credentials: 'same-origin', ...options});
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Refusal(0, 'unreachable', '');
  }
  if (response.status === 204) return null;
  let body = null;
  try { body = await response.json(); } catch { /* told below */ }
  if (response.ok && body !== null) return body;
  throw new Refusal(response.status, body?.error?.code ?? 'unreadable', body?.error?.message ?? '',
    Number(response.headers.get('retry-after')) || null);
}

const query = parameters => {
  const set = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined);
  return set.length ? '?' + new URLSearchParams(set) : '';
};
const customerPath = id => '/v1/customers/' + encodeURIComponent(id);
const post = (path, body) => answer(path, {
  method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify(body),
});

export const session = () => answer('/v1/session');
export const login = token => post('/v1/login', {token});
export const logout = () => post('/v1/logout', {});
export const customer = (id, signal) => answer(customerPath(id), {signal});
export const timeline = (id, parameters, signal) => answer(customerPath(id) + '/timeline' + query(parameters), {signal});
export const holders = (parameters, signal) => answer('/v1/customers' + query(parameters), {signal});
export const overview = signal => answer('/v1/overview', {signal});
export const chain = signal => answer('/v1/chain', {signal});
export const features = signal => answer('/v1/features', {signal});

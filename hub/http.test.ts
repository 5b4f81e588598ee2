import { silentLogger } from '#sdk';
import { Type } from 'typebox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createServiceApp, type ServiceApp } from './http.ts';

let app: ServiceApp;
beforeAll(async () => {
  app = await createServiceApp('test', silentLogger);
  const schema = {
    params: Type.Object({ id: Type.String({ format: 'uuid' }) }),
    querystring: Type.Object({ merge: Type.Optional(Type.Enum(['sum', 'avg'])) }, { additionalProperties: false }),
    body: Type.Object(
      { severity: Type.Enum(['info', 'warning']), limit: Type.Optional(Type.Integer()) },
      { additionalProperties: false },
    ),
  };
  app.post('/things/:id', { config: { role: 'public' }, schema }, () => ({}));
  app.post('/again', { config: { role: 'public' } }, () => ({ done: true }));
});
afterAll(() => app.close());

const ID = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff';
const faultsOf = async (path: string, body: object): Promise<unknown> => {
  const reply = await app.inject({ method: 'POST', url: path, payload: body });
  return reply.json<{ faults: unknown }>().faults;
};

test.each([
  ['/things/vm', { severity: 'info' }, 'id must be an id like 0b0e7ac4-6a10-4a3e-9d4f-5d1c2f8e7a90'],
  [`/things/${ID}?merge=median`, { severity: 'info' }, 'merge must be one of sum, avg'],
  [`/things/${ID}?merges=sum`, { severity: 'info' }, 'There is no parameter "merges"; there are merge'],
  [`/things/${ID}`, { severity: 'bad' }, 'body/severity must be one of info, warning'],
  [`/things/${ID}`, { severity: 'info', org: 'x' }, 'body has an unknown member "org"'],
  [`/things/${ID}`, {}, "body must have required property 'severity'"],
  [`/things/${ID}`, { severity: 'info', limit: '5' }, 'body/limit must be integer'],
])('%s with %j is told what is allowed', async (path, body, fault) => {
  expect(await faultsOf(path, body)).toEqual([fault]);
});

test('an empty body that calls itself JSON is none: taken where none is needed, told where one is, and what is no JSON is refused', async () => {
  const headers = { 'content-type': 'application/json' };
  const ask = (url: string, payload: string) => app.inject({ method: 'POST', url, headers, payload });
  expect((await ask('/again', '')).json()).toEqual({ done: true });
  const needed = await ask(`/things/${ID}`, '');
  expect([needed.statusCode, needed.json<{ faults: unknown }>().faults]).toEqual([400, ['body must be object']]);
  expect((await ask('/again', '{"a":')).statusCode).toBe(400);
  expect((await ask('/again', '{"__proto__":{"a":1}}')).statusCode).toBe(400);
});

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

import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import type { Detections } from '../detection.ts';
import type { Aliases } from '../models/aliases.ts';
import type { Registry } from '../models/registry.ts';
import type { Removal } from '../models/removal.ts';
import { ALIASES } from '../tables.ts';

/** What these routes stand on. */
export interface ModelRoutesGiven {
  registry: Registry;
  removal: Removal;
  aliases: Aliases;
  detections: Detections;
}

const Version = Type.String({ pattern: '^[\\w.-]{1,80}$', description: 'Version of a model.' });
const Alias = Type.Enum([...ALIASES], {
  description: 'champion: it judges. shadow: its scores are told, and no alert comes of them.',
});
const Model = Type.Object({
  version: Type.String(),
  resource: Type.String({ description: 'Id of the host that it is of.' }),
  architecture: Type.Enum(['autoencoder', 'linear']),
  createdMs: Type.Integer(),
  window: Type.Object(
    { fromMs: Type.Integer(), toMs: Type.Integer(), rows: Type.Integer() },
    { description: 'The data that it was trained on: rows of ten seconds.' },
  ),
  features: Type.Integer({ description: 'Series that it looks at.' }),
  digest: Type.String({ description: 'SHA-256 of its document.' }),
  bytes: Type.Integer({ description: 'Length of its document.' }),
  seed: Type.Integer(),
  metrics: Type.Record(Type.String(), Type.Number()),
  gate: Type.Object({
    passed: Type.Boolean(),
    checks: Type.Array(
      Type.Object({
        name: Type.String(),
        value: Type.Union([Type.Number(), Type.Null()]),
        limit: Type.Union([Type.Number(), Type.Null()]),
        passed: Type.Boolean(),
        words: Type.String(),
      }),
    ),
  }),
  aliases: Type.Array(Alias),
  madeBy: Type.Object({
    job: Type.Union([Type.String(), Type.Null()]),
    name: Type.String(),
    program: Type.String(),
  }),
});
const Named = Type.Union([
  Type.Object({ version: Type.String(), sinceMs: Type.Integer(), by: Type.String() }),
  Type.Null(),
]);
const MaybeVersion = Type.Union([Version, Type.Null()]);
const AliasesReply = Type.Object({
  champion: Named,
  shadow: Named,
  before: Type.Union([Type.String(), Type.Null()], { description: 'The version that a roll-back leads to.' }),
  told: Type.Array(
    Type.Object({ version: Type.String(), alias: Type.String(), inUse: Type.Boolean(), problem: Type.String() }),
    { description: 'What its agent says of models. own: one that it made itself while the hub gave it none.' },
  ),
  history: Type.Array(
    Type.Object({
      alias: Alias,
      version: Type.Union([Type.String(), Type.Null()]),
      before: Type.Union([Type.String(), Type.Null()]),
      atMs: Type.Integer(),
      by: Type.String(),
      reason: Type.String(),
    }),
    { description: 'What aliases were moved to, the newest first.' },
  ),
});
const ROOT = '/api/v1/predictions';
const tags = ['predictions'];
const ByVersion = Type.Object({ version: Version });
const ByResource = Type.Object({ resource: Type.String({ format: 'uuid', description: 'Id of a host.' }) });

function versionRoutes(app: ServiceApp, { registry, removal }: ModelRoutesGiven): void {
  app.get(
    `${ROOT}/models`,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Models of hosts, newest first.',
        querystring: Type.Object(
          {
            resource: Type.Optional(Type.String({ format: 'uuid', description: 'Id of a host.' })),
            limit: Type.Integer({ default: 50, minimum: 1, maximum: 1000 }),
            offset: Type.Integer({ default: 0, minimum: 0, maximum: 1_000_000 }),
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({
            items: Type.Array(Model),
            total: Type.Integer(),
            limit: Type.Integer(),
            offset: Type.Integer(),
          }),
        },
      },
    },
    async (request) => {
      const { limit, offset, resource } = request.query;
      return { ...(await registry.list(principalOf(request).org, resource, { limit, offset })), limit, offset };
    },
  );
  app.get(
    `${ROOT}/models/:version`,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'What a model was made from and how it does.',
        params: ByVersion,
        response: { 200: Model },
      },
    },
    (request) => registry.get(principalOf(request).org, request.params.version),
  );
  app.get(
    `${ROOT}/models/:version/document`,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'The model itself: its series, a TF.js LayersModel and the weights.',
        params: ByVersion,
        response: { 200: Type.Any({ description: 'A HostModelDocument.' }) },
      },
    },
    async (request, reply) => {
      const { version } = request.params;
      const text = await registry.document(principalOf(request).org, version);
      void reply.header('content-disposition', `attachment; filename="${version}.json"`);
      return reply.type('application/json').serializer(String).send(text);
    },
  );
  app.delete(
    `${ROOT}/models/:version`,
    {
      config: { role: 'editor' },
      schema: {
        tags,
        summary: 'Remove a model that no alias names.',
        params: ByVersion,
        response: { 204: Type.Null({ description: 'Done.' }) },
      },
    },
    async (request, reply) => {
      await removal.remove(principalOf(request).org, request.params.version);
      return reply.code(204).send(null);
    },
  );
}

/** The web API of models: versions, and which of them judge. */
export function modelRoutes(app: ServiceApp, given: ModelRoutesGiven): void {
  const { aliases, detections } = given;
  versionRoutes(app, given);
  const shown = async (org: string, resource: string) => ({
    ...(await aliases.of(org, resource)),
    before: await aliases.before(org, resource),
    told: await detections.told({ org, agent: resource }),
    history: await aliases.history(org, resource),
  });
  app.get(
    `${ROOT}/aliases/:resource`,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Which models a host is judged by, what its agent says of them, and what they were before.',
        params: ByResource,
        response: { 200: AliasesReply },
      },
    },
    (request) => shown(principalOf(request).org, request.params.resource),
  );
  app.put(
    `${ROOT}/aliases/:resource/:alias`,
    {
      config: { role: 'editor' },
      schema: {
        tags,
        summary: 'Let an alias of a host name a model, or none. What becomes champion is no shadow any more.',
        params: Type.Object({ ...ByResource.properties, alias: Alias }),
        body: Type.Object(
          {
            version: MaybeVersion,
            force: Type.Optional(Type.Boolean({ description: 'Also one that did not pass its gate.' })),
          },
          { additionalProperties: false },
        ),
        response: { 200: AliasesReply },
      },
    },
    async (request) => {
      const { org, name } = principalOf(request);
      const { resource, alias } = request.params;
      const { version, force = false } = request.body;
      const reason = force ? 'moved by hand, whatever its gate says' : 'moved by hand';
      await aliases.move(org, { resource, alias, version, by: name, reason }, { force });
      return shown(org, resource);
    },
  );
  app.post(
    `${ROOT}/aliases/:resource/rollback`,
    {
      config: { role: 'editor' },
      schema: {
        tags,
        summary: 'Let the champion of a host be what it was before. Done twice, it is as it was.',
        params: ByResource,
        response: { 200: AliasesReply },
      },
    },
    async (request) => {
      const { org, name } = principalOf(request);
      await aliases.rollBack(org, request.params.resource, name);
      return shown(org, request.params.resource);
    },
  );
}

import swagger from '@fastify/swagger';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { defineProblems, Problem, problemDocument, reasonOf, systemClock, type Logger } from '#sdk';
import ajvCompiler from '@fastify/ajv-compiler';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifySchemaValidationError,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify';
import { Value } from 'typebox/value';
import type { Finding } from './doctor.ts';
import type { Measures } from './measures.ts';
import { openSpan } from './tracing.ts';
import { answerBegun, DEADLINE_HEADER, withinCall } from './call-context.ts';
import { Principal, ROLES, roleAllows, type Role } from './principal.ts';

/** The app on which a service declares its routes; request and reply types follow from the schemas. */
export type ServiceApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The weakest role that may call the route. `public`: anyone. `service`: no user, only a sister service. */
    role?: Role | 'public' | 'service';
  }
  interface FastifyRequest {
    /** Who is asking; null on public routes when nobody signed in. */
    principal: Principal | null;
  }
}

const problems = defineProblems('http', {
  invalidRequest: { status: 400, title: 'The request is not valid.' },
  unauthenticated: { status: 401, title: 'Sign in first.' },
  forbidden: { status: 403, title: 'Your role does not allow this.' },
  notFound: { status: 404, title: 'There is nothing at this address.' },
  tooLarge: { status: 413, title: 'The request is too large.' },
  unsupported: { status: 415, title: 'The content type is not supported.' },
  clientGone: { status: 499, title: 'The caller went away.' },
  internal: { status: 500, title: 'Something failed in the hub.' },
});

/** Carries the principal to a service's app. Only peers set it: the gateway forwards no such header from outside. */
export const PRINCIPAL_HEADER = 'x-outrider-principal';

/** Marks a call that came from outside the hub: the gateway sets it on all that it forwards, and no such call gets to a route of the role `service`. */
export const OUTSIDE_HEADER = 'x-outrider-outside';

/** Writes a principal as a header's value. */
export function writePrincipal(principal: Principal): string {
  return Buffer.from(JSON.stringify(principal)).toString('base64url');
}

function readPrincipal(request: FastifyRequest): Principal | null {
  const text = request.headers[PRINCIPAL_HEADER];
  if (typeof text !== 'string') return null;
  const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  if (!Value.Check(Principal, value)) throw problems.unauthenticated();
  return value;
}

/** The principal of a route that demands a role. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === null) throw problems.unauthenticated();
  return request.principal;
}

const PLACES: Readonly<Record<string, string>> = { querystring: 'query', params: 'path' };
const EXAMPLE_ID = '0b0e7ac4-6a10-4a3e-9d4f-5d1c2f8e7a90';

/** Says what is allowed instead of naming the rule that was broken. */
function ruleOf({ keyword, params, message = 'is not valid' }: FastifySchemaValidationError): string {
  const { allowedValues, format } = params;
  if (keyword === 'enum' && Array.isArray(allowedValues)) return `must be one of ${allowedValues.join(', ')}`;
  if (keyword === 'format' && format === 'uuid') return `must be an id like ${EXAMPLE_ID}`;
  return message;
}

/** One fault in words: `body/limit must be integer`, `merge must be one of sum, avg`. */
function faultOf(fault: FastifySchemaValidationError, context: string, known: readonly string[]): string {
  const { keyword, params, instancePath } = fault;
  if (keyword === 'additionalProperties') {
    const name = `"${String(params['additionalProperty'])}"`;
    if (context !== 'querystring') return `${context}${instancePath} has an unknown member ${name}`;
    return `There is no parameter ${name}; there are ${known.join(', ')}`;
  }
  const place = PLACES[context];
  const where = place === undefined ? `${context}${instancePath}` : instancePath.slice(1) || place;
  return `${where} ${ruleOf(fault)}`;
}

function asProblem(error: FastifyError | Error, log: Logger, request: FastifyRequest): Problem {
  if (error instanceof Problem) return error;
  const { validation, validationContext, statusCode, code } = error as FastifyError;
  if (validation !== undefined) {
    const { properties = {} } = (request.routeOptions.schema?.querystring ?? {}) as { properties?: object };
    const known = Object.keys(properties);
    const faults = validation.map((fault) => faultOf(fault, validationContext ?? 'request', known));
    return problems.invalidRequest(faults.join('; '), { facts: { faults } });
  }
  if (code === 'ABORT_ERR') return problems.clientGone();
  if (statusCode === 413) return problems.tooLarge(error.message);
  if (statusCode === 415) return problems.unsupported(error.message);
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return problems.invalidRequest(error.message);
  log.error('a request failed', {
    method: request.method,
    url: request.url,
    code,
    reason: reasonOf(error),
    stack: error.stack,
  });
  return problems.internal('The request id finds the cause in the hub’s log.', { cause: error });
}

/** The HTTP edge: answers every error as an RFC 9457 document, the only place where HTTP makes JSON of one. */
export function answerProblems(app: FastifyInstance, log: Logger): void {
  app.setErrorHandler((error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply) => {
    const problem = asProblem(error, log, request);
    const retryAfter = problem.facts['retryAfter'];
    if (typeof retryAfter === 'number') void reply.header('retry-after', Math.ceil(retryAfter));
    return reply
      .code(problem.status)
      .type('application/problem+json')
      .send(JSON.stringify(problemDocument(problem, request.id)));
  });
  app.setNotFoundHandler((request) => {
    throw problems.notFound(`No route answers ${request.method} ${request.url.split('?')[0] ?? ''}.`);
  });
}

function demandRole(request: FastifyRequest): void {
  const needed = request.routeOptions.config.role;
  if (needed === undefined || needed === 'public') return;
  const principal = request.principal;
  if (needed === 'service') {
    const outside = request.headers[OUTSIDE_HEADER] !== undefined;
    if (outside || (principal !== null && principal.via !== 'service'))
      throw problems.forbidden('Only a part of the hub may call this.');
    return;
  }
  if (principal === null) throw problems.unauthenticated();
  if (roleAllows(principal.role, needed)) return;
  throw problems.forbidden(
    `This needs the role ${needed}; yours is ${principal.role}. An admin of your organisation can change it.`,
    {
      facts: { needs: needed, has: principal.role },
    },
  );
}

const validator = (coerceTypes: 'array' | false) =>
  ajvCompiler()(
    {},
    { customOptions: { removeAdditional: false, coerceTypes, useDefaults: true, allErrors: true, strict: false } },
  );

/** Paths, queries and headers are text, so "5" is a number there. */
const fromText = validator('array');
/** JSON has types of its own: coercing would make 0 of a null that means "none". */
const exactly = validator(false);

/** What an app has of the process that it is part of. */
export interface AppGiven {
  measures?: Measures;
  /** How the process is. */
  examine?(): Promise<readonly Finding[]>;
}

/** Makes the app of one service. It does not listen: peers and the gateway reach it. Every route must name its role. */
export async function createServiceApp(
  name: string,
  log: Logger,
  { measures, examine }: AppGiven = {},
): Promise<ServiceApp> {
  const app = Fastify({
    loggerInstance: undefined,
    logger: false,
    bodyLimit: 1_048_576,
    requestIdHeader: 'x-request-id',
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler((route) => (route.httpPart === 'body' ? exactly : fromText)(route as never));
  // Many clients name JSON also where they send nothing, as for a rollback; a route that needs a body says so by its schema.
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) =>
    body === '' ? done(null) : parse(request, body, done),
  );
  app.decorateRequest('principal', null);
  app.addHook('onRoute', (route) => {
    const role = route.config?.role;
    if (role === undefined || !(role === 'public' || role === 'service' || ROLES.includes(role)))
      throw new Error(`${name}: route ${String(route.method)} ${route.url} names no role`);
    if (route.schema === undefined || role === 'service') return;
    const needed = role === 'public' ? 'Needs no token.' : `Needs the role ${role}${role === 'owner' ? '' : ' or a higher one'}.`; // prettier-ignore
    const { description = '' } = route.schema;
    // The route for HEAD comes with the schema of GET.
    if (!description.endsWith(needed)) route.schema.description = `${description} ${needed}`.trim();
  });
  app.addHook('onRequest', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    const { method } = request;
    const { span, within } = openSpan(`${method} ${route}`, {
      attributes: { 'outrider.service': name, 'http.route': route },
    });
    const arrived = systemClock.monotonic();
    reply.raw.on('close', () => {
      const status = String(reply.statusCode);
      span.setAttribute('http.response.status_code', reply.statusCode);
      span.end();
      // A stream is read for as long as somebody likes: that says nothing of the service.
      if (!String(reply.getHeader('content-type')).startsWith('text/event-stream'))
        measures?.route({ service: name, route, method, status }, (systemClock.monotonic() - arrived) / 1000);
    });
    const leftMs = Number(request.headers[DEADLINE_HEADER]);
    within(() => (Number.isFinite(leftMs) ? withinCall(leftMs, done) : done()));
  });
  app.addHook('onRequest', (request, _reply, done) => {
    request.principal = readPrincipal(request);
    demandRole(request);
    done();
  });
  app.addHook('onSend', async (request, reply, payload) => {
    answerBegun();
    void reply.header('x-outrider-route', request.routeOptions.url ?? 'unknown');
    return payload;
  });
  answerProblems(app as unknown as FastifyInstance, log);
  const config = { role: 'service' } as const;
  app.get('/internal/openapi', { config }, () => app.swagger());
  app.get('/internal/doctor', { config }, () => examine?.() ?? []);
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: name, version: '1' } },
    hideUntagged: false,
  });
  return app;
}

/** The list form that every collection answers with. */
export interface Page<Item> {
  items: Item[];
  total: number;
  limit: number;
  offset: number;
}

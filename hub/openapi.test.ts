import { beforeAll, expect, test } from 'vitest';
import { printOpenApi } from './commands/openapi.ts';

interface Operation {
  summary?: string;
  description?: string;
  tags?: string[];
  responses: Record<string, { description?: string; content?: Record<string, { schema?: object }> }>;
}

let operations: [name: string, operation: Operation][];
beforeAll(async () => {
  const document = JSON.parse(await printOpenApi()) as { paths: Record<string, Record<string, Operation>> };
  operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, Operation] => [`${method} ${path}`, operation]),
  );
});

/** What is missing of an operation, one word each. */
function gaps({ summary, tags, responses }: Operation): string[] {
  const answers = Object.entries(responses).flatMap(([status, { description, content }]) => {
    if (status === '204') return description === 'Default Response' ? ['description of 204'] : [];
    const { schema } = Object.values(content ?? {})[0] ?? {};
    return schema === undefined || Object.keys(schema).length === 0 ? [`schema of ${status}`] : [];
  });
  return [...(summary ? [] : ['summary']), ...(tags?.length ? [] : ['tags']), ...answers];
}

test('every route says what it is for and what it answers', () => {
  expect(operations.length).toBeGreaterThan(50);
  expect(operations.flatMap(([name, operation]) => gaps(operation).map((gap) => `${name}: ${gap}`))).toEqual([]);
});

test('every route says who may call it, once', () => {
  const words = /^(?:(?!Needs ).)*Needs (no token|the role (viewer|editor|admin) or a higher one|the role owner)\.$/s;
  expect(operations.filter(([, { description = '' }]) => !words.test(description)).map(([name]) => name)).toEqual([]);
  const trains = operations.find(([name]) => name === 'post /api/v1/predictions/train-model');
  expect(trains?.[1].description).toBe('Needs the role editor or a higher one.');
});

test('every route says how it refuses', () => {
  const refusals = operations.map(([, { responses }]) => Object.keys(responses['default']?.content ?? {}));
  expect(refusals.every((types) => types.join() === 'application/problem+json')).toBe(true);
});

test('what only parts of the hub may call is not in the document', () => {
  expect(operations.filter(([name]) => name.includes('/internal/'))).toEqual([]);
});

import { expect, test } from 'vitest';
import { declaredProblems, defineProblems, Problem, problemDocument } from './problem.ts';

const problems = defineProblems('garden', {
  gateLocked: { status: 409, title: 'The gate is locked.', retryable: true },
});

test('a problem has a stable code, its status and what happened this time', () => {
  const problem = problems.gateLocked('The north gate is locked; ask the gardener.', { facts: { gate: 'north' } });
  expect(problem).toBeInstanceOf(Problem);
  expect(problemDocument(problem, 'request-1')).toEqual({
    type: 'urn:outrider:problem:garden.gate-locked',
    title: 'The gate is locked.',
    status: 409,
    detail: 'The north gate is locked; ask the gardener.',
    code: 'garden.gate-locked',
    instance: 'request-1',
    gate: 'north',
  });
  expect(problem.retryable).toBe(true);
});

test('facts never replace the members that the document is made of', () => {
  const problem = problems.gateLocked('locked', { facts: { status: 200, code: 'fine' } });
  expect(problemDocument(problem)).toMatchObject({ status: 409, code: 'garden.gate-locked' });
});

test('a cause never leaves the process', () => {
  const problem = problems.gateLocked('locked', { cause: new Error('secret path') });
  expect(JSON.stringify(problemDocument(problem))).not.toContain('secret path');
});

test('declaring a code twice is refused', () => {
  expect(declaredProblems().has('garden.gate-locked')).toBe(true);
  expect(() => defineProblems('garden', { gateLocked: { status: 400, title: 'again' } })).toThrow('declared twice');
});

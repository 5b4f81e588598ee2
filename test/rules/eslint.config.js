import { join } from 'node:path';
import tseslint from 'typescript-eslint';

const CLOCK = 'Components take time from the clock that they are given, so that a test can move it.';
const MAIN_ONLY = 'Only a main.ts reads the environment, handles signals and exits; pass what you need as settings.';
const TIMERS = ['setTimeout', 'setInterval', 'setImmediate'];

const globals = (names, message) => names.map((name) => ({ name, message }));

/** Syntax that is not used here, with what to do instead. */
const SYNTAX = [
  { selector: 'ExportDefaultDeclaration', message: 'Export by name, so that a thing has one name everywhere.' },
  { selector: 'TSEnumDeclaration', message: 'Use a union of literals: an enum is code that types cannot erase.' },
  {
    selector: 'ClassDeclaration[superClass=null]',
    message: 'Write a function that returns an object; classes are for Problem and true state machines.',
  },
  { selector: 'TSInterfaceDeclaration[id.name=/^I[A-Z][a-z]/]', message: 'Types are nouns without an I in front.' },
];

export default tseslint.config(
  {
    ignores: [
      'dist/**',
      'coverage/**',
      'proto/gen/**',
      'node_modules/**',
      '**/*.gen.d.ts',
      '**/*.gen.ts',
      '.cache/**',
      'data/**',
    ],
  },
  { linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' } },
  ...tseslint.configs.recommended.map((config) => ({ ...config, files: ['**/*.ts', '**/*.tsx'] })),
  {
    files: ['**/*.ts', '**/*.tsx'],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: join(import.meta.dirname, '..', '..') },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'max-lines': ['error', { max: 500 }],
      'max-lines-per-function': ['error', { max: 80 }],
      'max-params': ['error', { max: 4 }],
      'no-console': 'error',
      'no-empty': 'error',
      'prefer-const': 'error',
      eqeqeq: 'error',
      'no-restricted-syntax': ['error', ...SYNTAX],
    },
  },
  {
    files: ['hub/services/**/*.ts', 'plugins/collectors/**/*.ts', 'plugins/channels/**/*.ts'],
    ignores: ['**/*.test.ts', '**/document*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...globals(TIMERS, CLOCK),
        ...globals(['fetch'], 'Ask a peer, or call what a user gave through the egress that you are given.'),
        ...globals(['process'], MAIN_ONLY),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: CLOCK },
        { object: 'performance', property: 'now', message: CLOCK },
      ],
    },
  },
  {
    files: ['agent/**/*.ts', 'hub/**/*.ts', 'plugins/**/*.ts'],
    ignores: ['**/main.ts', '**/*.test.ts', 'hub/web/**', 'plugins/collectors/document*.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: MAIN_ONLY },
        { object: 'process', property: 'exit', message: MAIN_ONLY },
        { object: 'Date', property: 'now', message: CLOCK },
      ],
    },
  },
  { files: ['plugins/sdk/clock.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: ['**/*.test.ts', 'test/**/*.ts', '**/*.contract.ts'],
    rules: { 'max-lines-per-function': ['error', { max: 300 }] },
  },
  { files: ['test/bench/**/*.ts', 'plugins/collectors/document*.ts'], rules: { 'no-console': 'off' } },
  { files: ['**/*.config.ts', '**/*.config.js'], rules: { 'no-restricted-syntax': 'off' } },
);

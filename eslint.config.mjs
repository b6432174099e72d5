import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import * as jsonc from 'jsonc-eslint-parser';
import tseslint from 'typescript-eslint';

const layer = (name, ...below) => ({
  sourceTag: `layer:${name}`,
  onlyDependOnLibsWithTags: below.map((tag) => `layer:${tag}`),
});

export default tseslint.config(
  { ignores: ['**/node_modules', '**/dist', '**/.nx'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          // kernel <- domain <- adapter / workflow <- app; adapters never import adapters, apps never apps.
          depConstraints: [
            layer('kernel', 'kernel'),
            layer('domain', 'kernel', 'domain'),
            layer('adapter', 'kernel', 'domain'),
            layer('workflow', 'kernel', 'domain', 'adapter', 'workflow'),
            layer('app', 'kernel', 'domain', 'adapter', 'workflow'),
            // What is run around the programs may look into them.
            layer('tool', 'kernel', 'domain', 'adapter', 'workflow', 'app'),
          ],
          // A test may start real servers: libs/testing is a development dependency of any layer.
          allow: ['@genesys-kafka/testing'],
          enforceBuildableLibDependency: false,
        },
      ],
      // node:test runs a test when it is declared; its promise is the runner's business.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] },
          ],
        },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Leaving a member out of a copy is what the rest pattern is for.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, ignoreUsingDeclarations: true }],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      'no-restricted-syntax': ['error', { selector: 'ExportAllDeclaration', message: 'List public names one by one.' }],
    },
  },
  {
    // The environment is read in one place of each app, tests and the server ladder apart.
    files: ['**/*.ts'],
    ignores: [
      'apps/*/src/config.ts',
      'apps/*/src/main.ts',
      'libs/testing/**',
      '**/*.test.ts',
      '**/*.integration.ts',
      '**/bench/**',
      '**/soak/**',
      '**/fixtures/**',
      'tools/**',
    ],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Read settings in apps/*/src/config.ts.' },
      ],
    },
  },
  {
    files: ['**/package.json'],
    languageOptions: { parser: jsonc },
    plugins: { '@nx': nx },
    rules: {
      '@nx/dependency-checks': [
        'error',
        {
          ignoredFiles: [
            '{projectRoot}/**/*.test.ts',
            '{projectRoot}/**/*.integration.ts',
            '{projectRoot}/bench/**',
            '{projectRoot}/soak/**',
            '{projectRoot}/fixtures/**',
          ],
          buildTargets: ['typecheck'],
          checkVersionMismatches: false,
        },
      ],
    },
  },
  prettier,
);

'use strict';
// Run once while an image is built, with the flags and the user of the program: Node keeps what it compiles, and types
// stripped, in NODE_COMPILE_CACHE. A container's first start then is as fast as any other, on a read-only disk too.
const { globSync } = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const [main] = globSync('apps/*/src/main.ts', { cwd: root });
const files = globSync('{apps,libs}/*/src/**/*.ts', { cwd: root }).filter((file) => file !== main);

// An image has the libraries of the other programs as well, without their packages: those cannot be loaded.
void Promise.allSettled(files.map((file) => import(path.join(root, file)))).then(() => {
  // The program itself is loaded by its help, which ends the process.
  process.argv[2] = '--help';
  return import(path.join(root, main));
});

'use strict';
// Makes a fresh clone runnable: installs the locked packages, Node 24 among them, when they are missing or out of date.
// Runs on whatever Node the machine has, so it keeps to old syntax.
var fs = require('fs');
var path = require('path');
var childProcess = require('child_process');

var root = path.join(__dirname, '..');
var oldest = 20;

if (Number(process.versions.node.split('.')[0]) < oldest) {
  console.error(
    'genesys-kafka needs Node ' + oldest + ' or newer to install itself; this is Node ' + process.versions.node + '.',
  );
  process.exit(1);
}

function modifiedMs(file) {
  try {
    return fs.statSync(path.join(root, file)).mtimeMs;
  } catch (error) {
    return 0;
  }
}

if (modifiedMs('node_modules/.package-lock.json') < modifiedMs('package-lock.json')) {
  console.error('Installing the packages of package-lock.json …');
  var npm = childProcess.spawnSync('npm', ['ci', '--no-progress'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) {
    console.error('npm ci failed (see above); nothing else was started.');
    process.exit(1);
  }
  // npm leaves the times of the packages; this one marks the installation.
  var now = new Date();
  fs.utimesSync(path.join(root, 'node_modules/.package-lock.json'), now, now);
}

var node = childProcess.spawnSync(path.join(root, 'node_modules/.bin/node'), ['--version'], { encoding: 'utf8' });
if (node.status !== 0 || node.stdout.indexOf('v24.') !== 0) {
  console.error(
    'The npm package "node" did not install Node 24. Was npm run with --ignore-scripts, or with packages from a proxy that drops them? Run: npm ci',
  );
  process.exit(1);
}

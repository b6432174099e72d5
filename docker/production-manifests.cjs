'use strict';
// Takes development out of the manifests and the lock file in the current directory. `npm ci --omit=dev` alone still
// installs a workspace that is only a development dependency, with all that it needs: here Testcontainers.
const fs = require('node:fs');
const path = require('node:path');

const rewrite = (file, change) => {
  const document = JSON.parse(fs.readFileSync(file, 'utf8'));
  change(document);
  fs.writeFileSync(file, JSON.stringify(document));
};
const withoutDevelopment = (manifest) => delete manifest.devDependencies;

rewrite('package-lock.json', ({ packages }) => {
  for (const [place, entry] of Object.entries(packages)) {
    // A workspace has an entry of its own and a link to it.
    const directory = entry.link ? entry.resolved : place;
    if (directory.includes('node_modules/')) continue;
    if (!fs.existsSync(path.join(directory, 'package.json'))) delete packages[place];
    else if (!entry.link) rewrite(path.join(directory, 'package.json'), withoutDevelopment);
    withoutDevelopment(entry);
  }
});

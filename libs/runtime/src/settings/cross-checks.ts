import { isIP } from 'node:net';
import type { SettingProblem } from '../errors.ts';

type Tree = Readonly<Record<string, unknown>>;

/**
 * What concerns several settings at once. Runs on what was given, not on what was parsed, so that these problems are
 * told together with all others; whatever has the wrong type is passed over, the table reports it.
 */
export function crossChecks(given: Tree): SettingProblem[] {
  return [
    ...together(given, 'genesys', 'apiUrl', 'loginUrl', 'set both, or genesys.region alone'),
    ...together(given, 'schema', 'username', 'password', 'set both or neither'),
    ...routeProblems(list(given.routes).map(tree), tree(given.sinks)),
    ...insecureUrls(given),
  ];
}

/** Two settings that make sense only together. */
function together(given: Tree, section: string, first: string, second: string, fix: string): SettingProblem[] {
  const values = tree(given[section]);
  if ((values[first] === undefined) === (values[second] === undefined)) return [];
  const [there, missing] = values[first] === undefined ? [second, first] : [first, second];
  return [{ path: `${section}.${missing}`, problem: `is missing next to ${section}.${there}`, fix }];
}

function routeProblems(routes: readonly Tree[], sinks: Tree): SettingProblem[] {
  const problems: SettingProblem[] = [];
  const places = new Map<string, number>();
  const choice = Object.keys(sinks).length === 0 ? 'there are none yet' : `choose ${Object.keys(sinks).join(', ')}`;
  routes.forEach(({ name, sink }, index) => {
    if (typeof sink === 'string' && !Object.hasOwn(sinks, sink)) {
      problems.push({
        path: `routes.${index}.sink`,
        problem: 'names a sink that is not under sinks',
        fix: `add it there; or else: ${choice}`,
      });
    }
    if (typeof name !== 'string') return;
    const earlier = places.get(name);
    if (earlier === undefined) places.set(name, index);
    else {
      problems.push({
        path: `routes.${index}.name`,
        problem: `is the name of routes.${earlier} already`,
        fix: 'choose another one: it names the consumer group',
      });
    }
    if (name === 'unrouted') {
      problems.push({
        path: `routes.${index}.name`,
        problem: 'is kept for the records that no route picks',
        fix: 'choose another one',
      });
    }
  });
  return problems;
}

/** Plain http: sends tokens and personal data readable over the network: only this machine may be reached by it. */
function insecureUrls(given: Tree): SettingProblem[] {
  if (tree(given.tls).allowInsecureHttp === true) return [];
  const urls: [string, unknown][] = [
    ['genesys.apiUrl', tree(given.genesys).apiUrl],
    ['genesys.loginUrl', tree(given.genesys).loginUrl],
    ['schema.registry', tree(given.schema).registry],
    ['deadLetters.objects.endpoint', tree(tree(given.deadLetters).objects).endpoint],
  ];
  for (const [name, sink] of Object.entries(tree(given.sinks))) {
    urls.push([`sinks.${name}.url`, tree(sink).url], [`sinks.${name}.endpoint`, tree(sink).endpoint]);
  }
  return urls
    .filter(([, url]) => typeof url === 'string' && isInsecure(url))
    .map(([path]) => ({
      path,
      problem: 'is a plain http: URL to another machine',
      fix: 'write https:, or set ALLOW_INSECURE_HTTP=true where the network is trusted',
    }));
}

function isInsecure(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'http:' && !isLoopback(hostname);
}

/** By name or address as `URL` normalises it: decimal and octal spellings of 127.0.0.1 have become that. */
function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) === 4) return host.startsWith('127.');
  return host === '::1' || host === 'localhost' || host.endsWith('.localhost');
}

function tree(value: unknown): Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Tree) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

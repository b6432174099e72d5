/**
 * How many members all objects inside a parsed JSON value have together. A text of the same value has one colon
 * outside strings for each; where it has more, a key was given twice and `JSON.parse` dropped the first.
 * Iterative, so that depth costs memory and never the stack.
 */
export function countMembers(root: object): number {
  let members = 0;
  const pending: object[] = [root];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (Array.isArray(next)) {
      for (const element of next as unknown[]) {
        if (typeof element === 'object' && element !== null) pending.push(element);
      }
    } else {
      // `for in` over what JSON.parse made: own keys only (Object.prototype has nothing enumerable, which the tests
      // assert), `__proto__` included, and it is V8's fastest way through an object of a known shape.
      const object = next as Record<string, unknown>;
      for (const key in object) {
        members += 1;
        const value = object[key];
        if (typeof value === 'object' && value !== null) pending.push(value);
      }
    }
  }
  return members;
}

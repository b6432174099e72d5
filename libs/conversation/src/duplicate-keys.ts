interface Frame {
  /** Keys seen so far, unescaped; undefined in an array. */
  readonly keys: Set<string> | undefined;
  segment: string;
  index: number;
}

/**
 * Where a JSON text gives a key twice: one pointer (as path segments) for each repeated member, in text order, at most
 * `limit`. Keys are compared unescaped. The text must be valid JSON; this is the slow path, for a reason to show.
 */
export function duplicateKeys(text: string, limit: number): string[][] {
  const found: string[][] = [];
  const frames: Frame[] = [];
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\],]/gsu;
  for (const match of text.matchAll(token)) {
    const [lexeme, colon] = match;
    const top = frames.at(-1);
    if (lexeme === '{') frames.push({ keys: new Set(), segment: '', index: 0 });
    else if (lexeme === '[') frames.push({ keys: undefined, segment: '0', index: 0 });
    else if (lexeme === '}' || lexeme === ']') frames.pop();
    else if (lexeme === ',' && top && !top.keys) top.segment = String((top.index += 1));
    else if (colon !== undefined && top?.keys) {
      top.segment = JSON.parse(lexeme.slice(0, -colon.length)) as string;
      if (top.keys.has(top.segment)) {
        found.push(frames.map((frame) => frame.segment));
        if (found.length === limit) break;
      }
      top.keys.add(top.segment);
    }
  }
  return found;
}

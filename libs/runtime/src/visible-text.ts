/**
 * Control, format, unassigned and line-separating characters as escapes that can be seen: a text from outside must not
 * forge lines, colours or directions, be it in a log, on a terminal or in a header. Tabs stay, and line breaks where
 * `keepLines` says so. Not reversible.
 */
export function visibleText(text: string, { keepLines = false }: { readonly keepLines?: boolean } = {}): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    if (character === '\t' || (keepLines && character === '\n')) return character;
    if (character === '\n') return '\\n';
    if (character === '\r') return '\\r';
    const hex = character.codePointAt(0)!.toString(16);
    return hex.length > 4 ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`;
  });
}

/**
 * A document as JSON that a terminal may show: what `visibleText` would make visible is escaped as JSON escapes it, so
 * that it means the same. `JSON.stringify` alone leaves 8-bit controls and directions as they are.
 */
export function safeJson(document: unknown): string {
  return JSON.stringify(document).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, at) => {
      return `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
    }).join(''),
  );
}

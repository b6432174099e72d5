import { dirname, join, normalize } from 'node:path';
import { FILES, isTest, read } from './tree.ts';

/** A document that a file names, and the part of it, where one is given. */
export interface Citation {
  readonly file: string;
  /** As it is written, for the message. */
  readonly text: string;
  /** Path in the repository. */
  readonly document: string;
  /** `#anchor`, the text of a heading, or the number of a rule. */
  readonly part: { readonly anchor: string } | { readonly heading: string } | { readonly rule: string } | undefined;
}

const exists = new Set(FILES);
const PROSE = /\/\*[\s\S]*?\*\/|(?<!:)\/\/[^\n]*/g;
/** In brackets, `design:` and a heading: a document that nobody can tell. */
const NAMELESS = /\((design: "[^"]+")\)/g;
const NAMED = /([\w./-]*\w\.md)\b(#[\w-]+)?(?:(?:,|:)? (?:"([^"]+)"|rules? (\d+)))?/g;
/** A file or folder that a document names. */
const PLACE = /`((?:apps|libs|tools|docker|docs)\/[\w./-]*[\w-])`/g;
const LINK = /\]\((?!https?:|mailto:)([^)#\s]*)(#[\w-]+)?\)/g;

/** Documents that sources name: in comments, and in what the product tells its users. */
export function citations(): Citation[] {
  return FILES.filter((file) => /\.(ts|mjs|cjs)$/.test(file)).flatMap((file) => {
    const speaks = /^(libs|apps)\/[^/]+\/src\//.test(file) && !isTest(file);
    // A comment's line breaks and stars may stand within a citation.
    const text = speaks ? read(file) : (read(file).match(PROSE) ?? []).join('\n');
    const line = text.replace(/\n\s*\*?\s*/g, ' ');
    const nameless = [...line.matchAll(NAMELESS)].map(([, cited]) => ({
      file,
      text: cited!,
      document: cited!,
      part: undefined,
    }));
    const named = [...line.matchAll(NAMED)].map(([cited, name, anchor, heading, rule]) => ({
      file,
      text: cited,
      document: normalize(name!),
      part: partOf(anchor, heading, rule),
    }));
    return [...named, ...nameless];
  });
}

/** Links between documents, and the files and folders that they name. */
export function links(): Citation[] {
  return FILES.filter((file) => file.endsWith('.md')).flatMap((file) => {
    const text = read(file);
    const linked = [...text.matchAll(LINK)].map(([cited, name, anchor]) => ({
      file,
      text: cited.slice(1),
      document: name === '' ? file : normalize(join(dirname(file), name!)),
      part: partOf(anchor),
    }));
    const named = [...text.matchAll(PLACE)].map(([, place]) => {
      return { file, text: place!, document: place!, part: undefined };
    });
    return [...linked, ...named];
  });
}

function partOf(anchor?: string, heading?: string, rule?: string): Citation['part'] {
  if (anchor !== undefined) return { anchor: anchor.slice(1) };
  if (heading !== undefined) return { heading };
  return rule === undefined ? undefined : { rule };
}

/** Whether the document, and the part of it that is named, are there. */
export function resolves({ document, part }: Citation): boolean {
  if (!document.endsWith('.md')) return exists.has(document) || FILES.some((file) => file.startsWith(`${document}/`));
  if (!exists.has(document)) return false;
  if (part === undefined) return true;
  const headings = [...read(document).matchAll(/^#{1,6} (.+)$/gm)].map(([, text]) => text!);
  if ('anchor' in part) return headings.some((text) => anchorOf(text) === part.anchor);
  if ('heading' in part) return headings.includes(part.heading);
  return headings.some((text) => text.startsWith(`${part.rule}. `));
}

/** As GitHub makes it of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}

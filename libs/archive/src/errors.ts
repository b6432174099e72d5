import { errorsOf, type ErrorTable } from '@genesys-kafka/resilience';

/** Every code of this library. Scripts depend on the names; a new meaning is a new code. */
export const ARCHIVE_ERRORS = {
  // Finding and reading the file.
  'archive-missing': {
    meaning: 'There is no file to read where one was named.',
    remedy: 'Check the path.',
    scope: 'source',
  },
  'archive-unreadable': {
    meaning: 'The system does not let the file be read.',
    remedy: 'Check its permissions and the disk.',
    scope: 'source',
  },
  'archive-changed': {
    meaning: 'The file is no longer the one that was verified.',
    remedy: 'Leave the file alone while it is published, then run the command again.',
    scope: 'source',
  },
  // What the file is.
  'archive-empty': {
    meaning: 'The file, or what it unpacks to, has no content.',
    remedy: 'An export without records is the array []; fetch the file again.',
    scope: 'source',
  },
  'not-an-archive': {
    meaning: 'The content is neither an archive nor JSON.',
    remedy: 'Give a ZIP, gzip, JSON or NDJSON file; an error page often means that the link has expired.',
    scope: 'source',
  },
  'archive-nested': {
    meaning: 'The archive holds another archive.',
    remedy: 'Unpack the outer archive first.',
    scope: 'source',
  },
  'archive-unsupported': {
    meaning: 'The ZIP uses a feature that is not read here.',
    remedy: 'Pack the JSON again as a plain ZIP (deflate or stored).',
    scope: 'source',
  },
  'archive-encrypted': {
    meaning: 'The ZIP is encrypted.',
    remedy: 'Pack the JSON again without a password.',
    scope: 'source',
  },
  'archive-no-json': {
    meaning: 'The ZIP holds no JSON file.',
    remedy: 'Pack exactly one .json, .ndjson or .jsonl file.',
    scope: 'source',
  },
  'archive-ambiguous-entries': {
    meaning: 'The ZIP holds several JSON files.',
    remedy: 'Pack exactly one .json, .ndjson or .jsonl file.',
    scope: 'source',
  },
  // Whether it is whole.
  'archive-truncated': { meaning: 'The archive ends too early.', remedy: 'Fetch the file again.', scope: 'source' },
  'archive-trailing-data': {
    meaning: 'Something follows the end of the archive.',
    remedy: 'Fetch the file again; nothing may follow the end of the archive.',
    scope: 'source',
  },
  'archive-corrupt': {
    meaning: 'Headers or compressed data of the archive are damaged.',
    remedy: 'Fetch the file again.',
    scope: 'source',
  },
  'archive-ambiguous': {
    meaning: 'Two parts of the archive contradict each other.',
    remedy: 'Pack the JSON again: readers would disagree about what this archive holds.',
    scope: 'source',
  },
  'archive-size-mismatch': {
    meaning: 'The content has another length than the archive says.',
    remedy: 'Fetch the file again.',
    scope: 'source',
  },
  'archive-crc-mismatch': {
    meaning: 'The content has another checksum than the archive says.',
    remedy: 'Fetch the file again.',
    scope: 'source',
  },
  // Limits.
  'archive-bomb': {
    meaning: 'The archive unpacks to many times its size.',
    remedy: 'If the archive can be trusted, raise archive.maxRatio.',
    scope: 'source',
  },
  'archive-too-large': {
    meaning: 'The archive unpacks to more bytes than are allowed.',
    remedy: 'If the archive can be trusted, raise archive.maxBytes.',
    scope: 'source',
  },
  'archive-too-many-entries': {
    meaning: 'The ZIP has more entries than are allowed.',
    remedy: 'Pack exactly one .json, .ndjson or .jsonl file.',
    scope: 'source',
  },
  'archive-directory-too-large': {
    meaning: 'The directory of the ZIP is larger than is allowed.',
    remedy: 'Pack exactly one .json, .ndjson or .jsonl file, without long comments.',
    scope: 'source',
  },
  // The link.
  'link-malformed': {
    meaning: 'The link to the archive cannot be used as one.',
    remedy: 'Give an absolute https: link without a user name in it.',
    scope: 'source',
  },
  'link-insecure': {
    meaning: 'The link, or where it redirects to, is plain http:.',
    remedy: 'Use https:, or set ALLOW_INSECURE_HTTP=true on a network you trust.',
    scope: 'source',
  },
  'link-host-not-allowed': {
    meaning: 'The link leads to a host that is not a known files host.',
    remedy: 'If this host is the right one, add it to GENESYS_FILE_HOSTS.',
    scope: 'source',
  },
  'link-address-not-allowed': {
    meaning: 'The host of the link stands for an address that is not public.',
    remedy: 'Check the name; files are fetched from public addresses or a listed loopback host.',
    scope: 'source',
  },
  'link-refused': {
    meaning: 'The files host refuses the link.',
    remedy: 'The link has expired or lacks permission; ask for a new one.',
    scope: 'source',
  },
  'link-too-many-redirects': {
    meaning: 'The link is redirected again and again.',
    remedy: 'Check the files host.',
    scope: 'source',
  },
  // The download.
  'download-failed': {
    meaning: 'The files host did not deliver the file, however often it was asked.',
    remedy: 'Run the command again when the files host answers.',
    retry: true,
    scope: 'source',
  },
  'download-refused': {
    meaning: 'The files host, or the proxy before it, refuses the download.',
    remedy: 'Check the link and the files host.',
    scope: 'source',
  },
  'download-untrusted': {
    meaning: 'The TLS of the files host is not trusted.',
    remedy:
      'Check that its certificate is valid, or name its authority in tls.caFile, and that it speaks TLS 1.2 or later.',
    scope: 'source',
  },
  'download-encoding': {
    meaning: 'The files host sends the file in an encoding that is not undone here.',
    remedy: 'Ask the files host for the file without a Content-Encoding.',
    scope: 'source',
  },
  'download-bad-range': {
    meaning: 'The files host answers with other parts of the file than asked for.',
    remedy: 'The files host answers range requests wrongly; fetch the file by other means.',
    scope: 'source',
  },
  'download-not-resumable': {
    meaning: 'The download breaks off again and again, and the files host does not let it be continued.',
    remedy: 'Run the command again, or fetch the file by other means and publish it from disk.',
    retry: true,
    scope: 'source',
  },
  'download-unproven': {
    meaning: 'Nothing proves that the download came to its end: no length, no last chunk, and not what the file holds.',
    remedy: 'Fetch the file by other means and publish it from disk, or have it served with a Content-Length.',
    scope: 'source',
  },
  'download-too-large': {
    meaning: 'The file has more bytes than are allowed.',
    remedy: 'If the archive can be trusted, raise archive.maxBytes.',
    scope: 'source',
  },
  'source-changed': {
    meaning:
      'A source no longer brings the bytes that it brought before; what belongs to two versions is never joined.',
    remedy: 'The file changes while it is read; run the command again when it is final.',
    scope: 'source',
  },
  // This machine.
  'spool-full': {
    meaning: 'The spool directory has no space left.',
    remedy: 'Free some space, or point SPOOL_DIR to a larger disk.',
  },
  'spool-damaged': {
    meaning: 'A file in the spool directory is not what was written to it.',
    remedy: 'Check the disk of the spool directory, and run the same command again: nothing wrong was published.',
  },
  'spool-not-ours': {
    meaning: 'The spool directory belongs to somebody else, or others may replace the files in it.',
    remedy:
      'Give it to the user that runs this, with mode 0700, or let SPOOL_DIR name a directory in it, which is made.',
  },
  'spool-unwritable': {
    meaning: 'The spool directory cannot be written.',
    remedy: 'It must be a directory that this user can write. Set SPOOL_DIR.',
  },
  // The command line.
  'source-unsupported': {
    meaning: 'The argument is no kind of source that can be published.',
    remedy: 'Give a path, a directory, a glob, an https: link, or s3://bucket/key.',
    scope: 'usage',
  },
} as const satisfies ErrorTable;

/** Anything that keeps an archive from being fetched, trusted or read. Messages carry no query string and no body. */
export class ArchiveError extends errorsOf(ARCHIVE_ERRORS) {}

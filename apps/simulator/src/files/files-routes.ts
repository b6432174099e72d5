import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ArchiveStore, StoredArchive } from '../archives/archive-store.ts';
import { corrupted } from '../faults/body-faults.ts';
import { faultOf } from '../faults/fault-hooks.ts';
import { changedKey } from '../genesys/archive-jobs.ts';
import type { ArchiveJob, ArchiveJobs } from '../genesys/archive-jobs.ts';
import { parseRange } from './byte-range.ts';
import type { LinkSigner } from './signed-link.ts';

export interface FilesRoutesOptions {
  readonly jobs: ArchiveJobs;
  readonly store: ArchiveStore;
  readonly signer: LinkSigner;
}

/** Where a job's object lies on the files host. */
export function objectPath(jobId: string): string {
  return `/exports/${jobId}/conversations.zip`;
}

/** The files host: one object a job, read through signed links, with the conditions and ranges of S3. */
export function addFilesRoutes(server: FastifyInstance, options: FilesRoutesOptions): void {
  server.route<{ Params: { jobId: string } }>({
    method: ['GET', 'HEAD'],
    url: '/exports/:jobId/conversations.zip',
    config: { operation: 'file' },
    handler: async (request, reply) => {
      const refusal = refuse(request, options.signer);
      if (refusal) return sendXml(reply, refusal.status, refusal.code, refusal.message);
      const job = options.jobs.find(request.params.jobId);
      if (!job?.archive) return sendXml(reply, 404, 'NoSuchKey', 'The specified key does not exist.');
      const object = await faultyObject(request, job, job.archive, options);
      return sendObject(request, reply, object);
    },
  });
  server.setNotFoundHandler((_request, reply) => sendXml(reply, 404, 'NoSuchKey', 'The specified key does not exist.'));
  server.setErrorHandler((error: Error, _request, reply) => sendXml(reply, 500, 'InternalError', error.message));
}

/** An error of the storage as it writes it. */
export function xmlError(code: string, message: string): string {
  const id = randomBytes(8).toString('hex').toUpperCase();
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message><RequestId>${id}</RequestId></Error>`;
}

function sendXml(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply.code(status).type('application/xml').send(xmlError(code, message));
}

function refuse(
  request: FastifyRequest,
  signer: LinkSigner,
): { status: number; code: string; message: string } | undefined {
  // Storage takes one way of signing in; a bearer token sent along is a leak, and shows here.
  if (request.headers.authorization !== undefined) {
    const message =
      'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header';
    return { status: 400, code: 'InvalidArgument', message };
  }
  const verdict = faultOf(request, 'expired-link') ? 'expired' : signer.verify(request.method, request.url);
  switch (verdict) {
    case 'good':
      return undefined;
    case 'expired':
      return { status: 403, code: 'AccessDenied', message: 'Request has expired' };
    case 'unsigned':
      return { status: 403, code: 'AccessDenied', message: 'Access Denied' };
    case 'forged': {
      const message = 'The request signature we calculated does not match the signature you provided.';
      return { status: 403, code: 'SignatureDoesNotMatch', message };
    }
  }
}

/** The object as the script wants it seen: cut short, inverted in places, or another one. */
async function faultyObject(
  request: FastifyRequest,
  job: ArchiveJob,
  archive: StoredArchive,
  { store }: FilesRoutesOptions,
): Promise<StoredArchive> {
  let object = archive;
  const changed = faultOf(request, 'changed-object');
  if (changed?.what === 'content') {
    const conversations = job.conversations.changed();
    object = await store.get({ key: changedKey(job.key), conversations, indexes: job.indexes });
  } else if (changed) object = { ...object, etag: `"${randomBytes(16).toString('hex')}"` };
  const cut = faultOf(request, 'truncate');
  if (cut && cut.bytes < object.sizeBytes) {
    object = { ...object, sizeBytes: cut.bytes, etag: object.etag.replace(/"$/, `-${cut.bytes}"`) };
  }
  const corrupt = faultOf(request, 'corrupt');
  if (!corrupt) return object;
  const whole = object;
  const readCorrupt = (start: number, end: number) =>
    Readable.from(corrupted(whole.read(start, end), corrupt, start), { objectMode: false });
  return { ...object, read: readCorrupt };
}

function sendObject(request: FastifyRequest, reply: FastifyReply, object: StoredArchive): FastifyReply {
  const { etag, sizeBytes, lastModified } = object;
  const { range, 'if-range': ifRange, 'if-match': ifMatch } = request.headers;
  void reply.headers({
    etag,
    'last-modified': lastModified.toUTCString(),
    'accept-ranges': 'bytes',
    'x-amz-request-id': randomBytes(8).toString('hex').toUpperCase(),
  });
  if (ifMatch !== undefined && !listsTag(ifMatch, etag)) {
    return sendXml(reply, 412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
  }
  // If-Range holds for an equal strong tag or an equal date; else the whole object is the answer.
  const rangeHolds = ifRange === undefined || ifRange === etag || ifRange === lastModified.toUTCString();
  const ranged = rangeHolds && !faultOf(request, 'ignore-range');
  const verdict = ranged ? parseRange(range, sizeBytes) : ({ kind: 'whole' } as const);
  if (verdict.kind === 'unsatisfiable') {
    void reply.header('content-range', `bytes */${sizeBytes}`);
    return sendXml(reply, 416, 'InvalidRange', 'The requested range is not satisfiable');
  }
  const [start, end] = verdict.kind === 'part' ? [verdict.start, verdict.end] : [0, sizeBytes];
  if (verdict.kind === 'part') {
    void reply.code(206).header('content-range', `bytes ${start}-${end - 1}/${sizeBytes}`);
  }
  void reply.type('application/zip').header('content-length', end - start);
  return reply.send(end > start ? object.read(start, end) : '');
}

function listsTag(header: string, etag: string): boolean {
  return header.trim() === '*' || header.split(',').some((tag) => tag.trim() === etag);
}

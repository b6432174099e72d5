import { createHash, getFips } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Proxy } from '@genesys-kafka/http';
import { ObjectStoreError } from './errors.ts';
import { showObject, type ObjectAddress } from './object-address.ts';
import type { ObjectStore } from './object-store.ts';
import { RequestHandler } from './request-handler.ts';
import type { ListedObject } from './select-objects.ts';
import type { S3Settings } from './settings.ts';
import { storageFailure } from './storage-failure.ts';

/** Attempts of a call, the first included; the SDK waits up to 20 s between them. */
const ATTEMPTS = 5;
const LINK_SECONDS = 3600;
/** Requests at a time; more wait for one of them to end. */
const CONNECTIONS = 16;

/** `ObjectStore` by the AWS SDK. */
export function sdkStore(settings: S3Settings, proxy: Proxy | undefined, section: string): ObjectStore {
  const { endpoint, accessKeyId, secretAccessKey, sessionToken } = settings;
  const region = settings.region ?? (endpoint === undefined ? undefined : 'us-east-1');
  const requestHandler = new RequestHandler(proxy, CONNECTIONS);
  const client = new S3Client({
    requestHandler,
    maxAttempts: ATTEMPTS,
    // The signature holds a SHA-256 of what is sent; a second sum is what some storages stumble over.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    // Our connections do not wait between the head and the body of a request.
    expectContinueHeader: false,
    forcePathStyle: settings.pathStyle ?? endpoint !== undefined,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } }),
  });
  // Before the signature, which holds them all.
  const withHeaders = <A extends { readonly request: unknown }, R>(next: (args: A) => Promise<R>) => {
    return async (args: A): Promise<R> => {
      Object.assign((args.request as { readonly headers: object }).headers, settings.headers);
      return next(args);
    };
  };
  const host = endpoint === undefined ? 'AWS' : new URL(endpoint).host;
  const tried = async <T>(
    what: string,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
    doing: 'read' | 'write' = 'read',
  ): Promise<T> => {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      throw storageFailure(error, { what, host, region: region ?? 'of the profile', section, doing });
    }
  };
  return {
    list: (address, signal) => tried(showObject(address), signal, () => allPages(client, section, address, signal)),
    signedLink: async (address) => {
      const [what, { bucket, key }] = [showObject(address), address];
      // URLs take such parts out, and the signature would be of another path.
      if (key.split('/').some((part) => part === '.' || part === '..')) {
        throw new ObjectStoreError('s3-key-unusable', `${what} cannot be downloaded by a link.`);
      }
      const command = new GetObjectCommand({ Bucket: bucket, Key: key });
      return tried(what, undefined, () => getSignedUrl(client, command, { expiresIn: LINK_SECONDS }));
    },
    probe: (address, signal) =>
      tried(showObject(address), signal, async () => {
        const command = new GetObjectCommand({ Bucket: address.bucket, Key: address.key, Range: 'bytes=0-0' });
        await client.send(command, { abortSignal: signal }).catch((error: unknown) => {
          // An empty object has no first byte, and is there.
          if (!(error instanceof Error && error.name === 'InvalidRange')) throw error;
        });
      }),
    put: ({ bucket, key }, body, signal) =>
      tried(
        showObject({ bucket, key }),
        signal,
        async () => {
          const command = new PutObjectCommand({
            Bucket: bucket,
            Key: key,
            Body: body,
            ContentType: 'application/gzip',
            ...digestOf(body),
          });
          command.middlewareStack.add(withHeaders, { step: 'build' });
          const { ETag } = await client.send(command, { abortSignal: signal });
          // Whoever stands before the storage, with a page to log in say, may answer 200 as well.
          if (ETag === undefined || ETag.startsWith('W/'))
            throw new ObjectStoreError(
              's3-not-storage',
              `The answer to a write of ${showObject({ bucket, key })} has no ETag of an object.`,
              { section },
            );
        },
        'write',
      ),
    tryPut: ({ bucket, key }, signal) =>
      tried(
        showObject({ bucket, key }),
        signal,
        async () => {
          // It takes the right to write, and what is begun and given up was never an object.
          const upload = { Bucket: bucket, Key: key };
          const begin = new CreateMultipartUploadCommand(upload);
          begin.middlewareStack.add(withHeaders, { step: 'build' });
          const { UploadId } = await client.send(begin, { abortSignal: signal });
          if (UploadId === undefined)
            throw new ObjectStoreError(
              's3-not-storage',
              `The answer to an upload of ${showObject({ bucket, key })} names none.`,
              { section },
            );
          await client.send(new AbortMultipartUploadCommand({ ...upload, UploadId }), { abortSignal: signal });
        },
        'write',
      ),
    get: (address, signal) =>
      tried(showObject(address), signal, async () => {
        const command = new GetObjectCommand({ Bucket: address.bucket, Key: address.key });
        const { Body } = await client.send(command, { abortSignal: signal });
        return Buffer.from((await Body?.transformToByteArray()) ?? []);
      }),
    remove: (address, signal) =>
      tried(showObject(address), signal, async () => {
        const command = new DeleteObjectCommand({ Bucket: address.bucket, Key: address.key });
        await client.send(command, { abortSignal: signal });
      }),
    check: async (signal) => {
      try {
        const buckets = await tried('the list of buckets', signal, () =>
          client.send(new ListBucketsCommand({}), { abortSignal: signal }),
        );
        return `${host} answers; ${buckets.Buckets?.length ?? 0} buckets are shown to these credentials`;
      } catch (error) {
        if (!(error instanceof ObjectStoreError && error.code === 's3-access-denied')) throw error;
        return `${host} answers and knows the credentials; they may not list buckets, so that of one bucket shows with its first source`;
      }
    },
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await requestHandler.close();
    },
  };
}

/** A bucket whose objects are locked from the start takes none without it. A Node in FIPS mode has no MD5. */
function digestOf(body: Buffer): { readonly ContentMD5?: string } {
  return getFips() === 1 ? {} : { ContentMD5: createHash('md5').update(body).digest('base64') };
}

async function allPages(
  client: S3Client,
  section: string,
  { bucket, key }: ObjectAddress,
  signal: AbortSignal,
): Promise<ListedObject[]> {
  const listed: ListedObject[] = [];
  let token: string | undefined;
  for (;;) {
    const page = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: key, ContinuationToken: token }),
      { abortSignal: signal },
    );
    // What is no list at all reads like an empty one.
    if (page.KeyCount === undefined && page.IsTruncated === undefined) {
      const what = `The answer to ${showObject({ bucket, key })} is not a list.`;
      throw new ObjectStoreError('s3-not-storage', what, { section });
    }
    for (const { Key, Size } of page.Contents ?? []) if (Key !== undefined) listed.push({ key: Key, bytes: Size ?? 0 });
    if (page.IsTruncated !== true) return listed;
    const next = page.NextContinuationToken;
    // A list that does not go on would leave objects out, or never end.
    if (next === undefined || next === token) {
      const what = `The list of ${showObject({ bucket, key })} says that there is more, and does not lead on to it.`;
      throw new ObjectStoreError('s3-not-storage', what, { section });
    }
    token = next;
  }
}

import { Problem, reasonOf } from '#sdk';
import { blobProblems } from '../../../ports/blobs.ts';

const nameOf = (error: unknown): string => (error as { name?: string }).name ?? '';

/** True when the server says that there is no such blob. A missing bucket is another matter. */
export function isAbsent(error: unknown): boolean {
  return /^(NoSuchKey|NotFound)$/.test(nameOf(error));
}

const REFUSALS: readonly { names: RegExp; advice: string }[] = [
  {
    names: /^(InvalidAccessKeyId|SignatureDoesNotMatch|CredentialsProviderError|ExpiredToken|InvalidToken)$/,
    advice: 'Check blobs.accessKey and blobs.secretKey.',
  },
  { names: /^(NoSuchBucket|NotFound)$/, advice: 'There is no such bucket: make it, or check blobs.bucket.' },
  {
    names: /^(AccessDenied|AllAccessDisabled|Forbidden|403)$/,
    advice:
      'The key of blobs.accessKey needs s3:GetObject, PutObject, DeleteObject, AbortMultipartUpload and ListBucket.',
  },
  {
    names: /^RequestTimeTooSkewed$/,
    advice: 'The clocks of the hub and of the store differ by more than 15 minutes: set them.',
  },
  {
    names: /^(PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)$/,
    advice: 'Check blobs.region and blobs.endpoint.',
  },
];
const FULL =
  /^(XMinioStorageFull|QuotaExceeded|XMinioAdminBucketQuotaExceeded|EntityTooLarge|InsufficientStorage|SlowDownWrite)$/;

/** What the server says as a Problem that names it and what to do. */
export function problemOf(error: unknown, address: string): Problem {
  if (error instanceof Problem) return error;
  const name = nameOf(error);
  const reason = `${name}: ${reasonOf(error)}`;
  const refusal = REFUSALS.find(({ names }) => names.test(name));
  if (refusal !== undefined)
    return blobProblems.refused(`The store of blobs at ${address} says ${reason}. ${refusal.advice}`, { cause: error });
  if (FULL.test(name))
    return blobProblems.full(`The store of blobs at ${address} says ${reason}. Give it space.`, { cause: error });
  return blobProblems.unavailable(
    `The store of blobs at ${address} does not answer (${reason}). Start it, or check blobs.endpoint.`,
    { cause: error },
  );
}

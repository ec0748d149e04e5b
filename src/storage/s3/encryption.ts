import type { S3Config } from '../../config/config-values.js';

/** What a call that makes an object says of its encryption: PutObject (also presigned) and CreateMultipartUpload. */
export interface EncryptionFields {
  readonly ServerSideEncryption?: NonNullable<S3Config['serverSideEncryption']>;
  readonly SSEKMSKeyId?: string;
}

/** Empty where the bucket's own default is to hold. */
export function encryptionFields({
  serverSideEncryption,
  kmsKeyId,
}: Pick<S3Config, 'serverSideEncryption' | 'kmsKeyId'>): EncryptionFields {
  return {
    ...(serverSideEncryption !== null && { ServerSideEncryption: serverSideEncryption }),
    ...(kmsKeyId !== null && { SSEKMSKeyId: kmsKeyId }),
  };
}

/** The same as a client of a presigned PUT has to send them. */
export function encryptionHeaders({ ServerSideEncryption, SSEKMSKeyId }: EncryptionFields): Record<string, string> {
  return {
    ...(ServerSideEncryption && { 'x-amz-server-side-encryption': ServerSideEncryption }),
    ...(SSEKMSKeyId && { 'x-amz-server-side-encryption-aws-kms-key-id': SSEKMSKeyId }),
  };
}

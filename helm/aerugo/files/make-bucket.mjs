// Makes the bucket on the bundled S3 server, as soon as that answers. Runs in the registry's image.
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';

const { S3_ENDPOINT, S3_REGION = 'us-east-1', S3_BUCKET, S3_ACCESS_KEY, S3_SECRET_KEY } = process.env;
const client = new S3Client({
  endpoint: S3_ENDPOINT,
  region: S3_REGION,
  forcePathStyle: true,
  credentials: { accessKeyId: S3_ACCESS_KEY, secretAccessKey: S3_SECRET_KEY },
});
const deadline = Date.now() + 120_000;
for (;;) {
  try {
    await client.send(new CreateBucketCommand({ Bucket: S3_BUCKET }));
    break;
  } catch (error) {
    if (error.name === 'BucketAlreadyOwnedByYou' || error.name === 'BucketAlreadyExists') break;
    if (Date.now() > deadline) throw error;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

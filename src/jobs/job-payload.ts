import { plainToInstance } from 'class-transformer';
import { validate } from 'class-validator';
import { JobFailed } from './job-handler.js';
import type { Ids, JobType } from './job-type.js';

/** Bytes of JSON. */
const MAX_BYTES = 1_024;

/** What is stored of a payload. Throws `JobFailed` for one that breaks its rules. */
export async function writePayload<P extends Ids<P>>(type: JobType<P>, payload: P): Promise<Record<string, unknown>> {
  await readPayload(type, { ...payload });
  const text = JSON.stringify(payload);
  if (Buffer.byteLength(text) > MAX_BYTES) throw new JobFailed(`the payload of ${type.name} is larger than ids are`);
  return JSON.parse(text) as Record<string, unknown>;
}

/** What was stored, maybe by another version. Fields that this one does not know are left out. */
export async function readPayload<P extends Ids<P>>(type: JobType<P>, stored: unknown): Promise<P> {
  const payload = plainToInstance(type.payload, stored ?? {});
  const errors = await validate(payload, { whitelist: true, forbidUnknownValues: false });
  const nested = Object.values(payload).some((value) => typeof value === 'object');
  const fields = errors.map(({ property }) => property);
  if (fields.length > 0) throw new JobFailed(`the payload of ${type.name} is wrong: ${fields.join(', ')}`);
  if (nested) throw new JobFailed(`the payload of ${type.name} holds more than ids`);
  return payload;
}

import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsString, Length } from 'class-validator';
import { normalisePassword } from './password-hasher.js';

const MIN_LENGTH = 8;
const MAX_LENGTH = 256;

/** A password that is about to be set: the lengths hold for what it is after normalisation. */
export function NewPassword(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({
      example: 'correct horse battery',
      minLength: MIN_LENGTH,
      maxLength: MAX_LENGTH,
      format: 'password',
    }),
    IsString(),
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? normalisePassword(value) : value)),
    Length(MIN_LENGTH, MAX_LENGTH),
  );
}

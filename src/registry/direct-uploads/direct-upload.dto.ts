import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsInt,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { MayBeAbsent } from '../../http/validation/validation.js';
import type { PartSizes, SignedRequest } from '../../storage/direct-uploads.js';
import { failureText } from './direct-failures.js';
import type { StartedUpload } from './direct-upload-start.service.js';
import type { SignedPart } from './direct-uploads.service.js';
import type { DirectUploadRow } from './direct-uploads.repository.js';

const DIGEST = 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const ID = '6b8c0d5e-0d5a-4b5c-9a53-0c1b2b7c1c58';
const TIME = '2026-01-02T03:04:05.000Z';
const URL_TEXT = { description: 'A credential: its holder may send these bytes.', format: 'uri' } as const;
const HEADERS = {
  type: 'object',
  additionalProperties: { type: 'string' },
  description: 'Headers that must be sent exactly.',
} as const;
const STATES = ['open', 'verifying', 'done', 'failed'] as const;
const MAX_PARTS_AT_ONCE = 100;
const MAX_PART_NUMBER = 10_000;

export class NewDirectUploadDto {
  @ApiProperty({ example: DIGEST, maxLength: 256 })
  @IsString()
  @MaxLength(256)
  digest: string;

  @ApiProperty({ example: 123, minimum: 0, type: 'integer', format: 'int64', description: 'Bytes.' })
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  size: number;

  @ApiPropertyOptional({ default: false, description: 'Whether to send it in parts, in parallel.' })
  @MayBeAbsent()
  @IsBoolean()
  multipart?: boolean;
}

export class SignedPutDto {
  @ApiProperty(URL_TEXT)
  url: string;

  @ApiProperty(HEADERS)
  headers: Readonly<Record<string, string>>;

  constructor({ url, headers }: SignedRequest) {
    this.url = url;
    this.headers = headers;
  }
}

export class PartSizesDto {
  @ApiProperty({ example: 16777216, description: 'Bytes of each part except the last.' })
  size: number;

  @ApiProperty({ example: 4, description: 'Numbered from 1.' })
  count: number;

  constructor({ bytes, count }: PartSizes) {
    this.size = bytes;
    this.count = count;
  }
}

/** The repository holds the blob. */
export class HeldBlobDto {
  @ApiProperty({ enum: ['done'] })
  state = 'done' as const;

  @ApiProperty({ example: DIGEST })
  digest: string;

  @ApiProperty({ example: 123 })
  size: number;

  constructor(digest: string, size: number) {
    this.digest = digest;
    this.size = size;
  }
}

export class DirectUploadDto {
  @ApiProperty({ format: 'uuid', example: ID })
  id: string;

  @ApiProperty({ enum: STATES })
  state: (typeof STATES)[number];

  @ApiProperty({ example: DIGEST })
  digest: string;

  @ApiProperty({ example: 123 })
  size: number;

  @ApiProperty({ format: 'date-time', example: TIME, description: 'The upload expires at this time.' })
  expires_at: string;

  @ApiPropertyOptional({ description: 'Why it has failed.' })
  reason?: string;

  constructor({ id, state, digest, direct, expiresAt, reason }: DirectUploadRow) {
    this.id = id;
    this.state = state === 'direct' ? 'open' : state;
    this.digest = digest;
    this.size = direct.size;
    this.expires_at = expiresAt.toISOString();
    if (state === 'failed' && reason) this.reason = failureText(reason);
  }
}

/** With either `put` or `parts`. */
export class StartedUploadDto {
  @ApiProperty({ format: 'uuid', example: ID })
  id: string;

  @ApiProperty({ enum: ['open'] })
  state = 'open' as const;

  @ApiProperty({ example: DIGEST })
  digest: string;

  @ApiProperty({ example: 123 })
  size: number;

  @ApiProperty({ format: 'date-time', example: TIME })
  expires_at: string;

  @ApiPropertyOptional({ type: SignedPutDto })
  put?: SignedPutDto;

  @ApiPropertyOptional({ type: PartSizesDto })
  parts?: PartSizesDto;

  constructor({ id, digest, size, expiresAt, put, parts }: StartedUpload) {
    this.id = id;
    this.digest = digest;
    this.size = size;
    this.expires_at = expiresAt.toISOString();
    if (put) this.put = new SignedPutDto(put);
    if (parts) this.parts = new PartSizesDto(parts);
  }
}

export class AnnouncedPartDto {
  @ApiProperty({ example: 1, minimum: 1, maximum: MAX_PART_NUMBER, type: 'integer' })
  @IsInt()
  @Min(1)
  @Max(MAX_PART_NUMBER)
  number: number;

  @ApiProperty({ example: DIGEST.slice('sha256:'.length), pattern: '^[0-9a-f]{64}$' })
  @IsString()
  @Matches(/^[0-9a-f]{64}$/, { message: 'sha256 must be 64 hexadecimal characters in lower case' })
  sha256: string;

  @ApiProperty({ example: 16777216, minimum: 1, type: 'integer', format: 'int64' })
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  size: number;
}

export class AnnouncedPartsDto {
  @ApiProperty({ type: [AnnouncedPartDto], minItems: 1, maxItems: MAX_PARTS_AT_ONCE })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_PARTS_AT_ONCE)
  @ValidateNested({ each: true })
  @Type(() => AnnouncedPartDto)
  parts: AnnouncedPartDto[];
}

export class SignedPartDto extends SignedPutDto {
  @ApiProperty({ example: 1 })
  number: number;

  constructor(part: SignedPart) {
    super(part);
    this.number = part.number;
  }
}

export class SignedPartsDto {
  @ApiProperty({ type: [SignedPartDto] })
  parts: readonly SignedPartDto[];

  constructor(parts: readonly SignedPart[]) {
    this.parts = parts.map((part) => new SignedPartDto(part));
  }
}

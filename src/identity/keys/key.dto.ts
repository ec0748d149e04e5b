import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, ArrayUnique, IsArray, IsIn, IsString, Length } from 'class-validator';
import { isKeyScope, KEY_SCOPES, type KeyScope } from '../../access/credential-limits.js';
import { FutureTime } from '../../http/validation/future-time.decorator.js';
import { MayBeAbsent } from '../../http/validation/validation.js';
import type { ApiKeyRecord } from './api-keys.repository.js';
import type { IssuedKey, KeyDraft } from './api-keys.service.js';
import { IsRepositoryLimit } from './repository-limit.decorator.js';

const SCOPES = Object.keys(KEY_SCOPES).filter(isKeyScope);
const ROBOT_SCOPES: readonly KeyScope[] = ['repo:pull', 'repo:push', 'repo:delete'];
const MAX_REPOSITORIES = 50;

class KeyDto {
  @ApiProperty({ example: 'laptop', minLength: 1, maxLength: 100 })
  @IsString()
  @Length(1, 100)
  name: string;

  @ApiPropertyOptional({
    type: [String],
    example: ['acme/app', 'acme/team/*'],
    maxItems: MAX_REPOSITORIES,
    description: 'Namespaces, repositories or paths that the key is limited to; without it there is no such limit.',
  })
  @MayBeAbsent()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_REPOSITORIES)
  @ArrayUnique()
  @IsRepositoryLimit({ each: true })
  repositories?: string[];

  @ApiPropertyOptional({ format: 'date-time', description: 'The default is no expiry.' })
  @MayBeAbsent()
  @FutureTime()
  expiresAt?: string;
}

export class CreateKeyDto extends KeyDto {
  @ApiProperty({
    enum: SCOPES,
    isArray: true,
    example: ['repo:pull'],
    description: 'The rights of the key, within yours.',
  })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(SCOPES, { each: true })
  scopes: KeyScope[];
}

export class CreateRobotKeyDto extends KeyDto {
  @ApiPropertyOptional({ enum: SCOPES, isArray: true, default: ROBOT_SCOPES })
  @MayBeAbsent()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(SCOPES, { each: true })
  scopes?: KeyScope[];
}

export function keyDraft({ name, scopes, repositories, expiresAt }: CreateKeyDto | CreateRobotKeyDto): KeyDraft {
  return {
    name,
    scopes: scopes ?? ROBOT_SCOPES,
    repositories: repositories ?? null,
    expiresAt: expiresAt === undefined ? null : new Date(expiresAt),
  };
}

/** A key, without what opens anything. */
export class ApiKeyDto {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ example: 'laptop' })
  name: string;

  @ApiProperty({ enum: SCOPES, isArray: true, example: ['repo:pull'] })
  scopes: string[];

  @ApiProperty({ type: [String], nullable: true, example: ['acme/app'] })
  repositories: string[] | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  expiresAt: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    example: null,
    description: 'Updated with a delay of some seconds.',
  })
  lastUsedAt: string | null;

  @ApiProperty({ type: String, nullable: true, example: '192.0.2.1' })
  lastUsedAddress: string | null;

  @ApiProperty({ format: 'date-time', example: '2026-01-02T03:04:05.000Z' })
  createdAt: string;

  constructor(key: ApiKeyRecord) {
    this.id = key.id;
    this.name = key.name;
    this.scopes = key.scopes;
    this.repositories = key.repositories;
    this.expiresAt = key.expiresAt?.toISOString() ?? null;
    this.lastUsedAt = key.lastUsedAt?.toISOString() ?? null;
    this.lastUsedAddress = key.lastUsedAddress;
    this.createdAt = key.createdAt.toISOString();
  }
}

export class IssuedKeyDto extends ApiKeyDto {
  @ApiProperty({ example: 'aerugo_pat_…', description: 'For Bearer, or as the password of Basic. Shown once.' })
  key: string;

  constructor(key: IssuedKey) {
    super(key);
    this.key = key.key;
  }
}

export class ApiKeyListDto {
  @ApiProperty({ type: [ApiKeyDto] })
  items: ApiKeyDto[];

  @ApiProperty({ type: String, nullable: true, example: null })
  next: string | null;
}

/** How keys are shown in lists. */
export const KEY_LIST = {
  show: (key: ApiKeyRecord): ApiKeyDto => new ApiKeyDto(key),
  position: ({ createdMicros, id }: ApiKeyRecord): [number, string] => [createdMicros, id],
};

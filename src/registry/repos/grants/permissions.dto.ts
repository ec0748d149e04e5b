import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsIn, IsString, MaxLength, ValidateNested } from 'class-validator';
import type { RoleReason } from '../../../access/policy.js';
import { type Action, ACTIONS, type OrgRole, ORG_ROLES, type Role, ROLES } from '../../../access/roles.js';
import { MayBeAbsent } from '../../../http/validation/validation.js';
import type { EffectiveAccess } from './effective-access.service.js';
import type { GranteeKind } from './grants.repository.js';

const GRANTEE_KINDS = ['user', 'team', 'robot'] as const satisfies readonly GranteeKind[];
/** They travel with what is cached of the repository. */
const MAX_GRANTS = 500;
const MAX_NAME = 128;

export class GrantDto {
  @ApiProperty({ enum: GRANTEE_KINDS, example: 'team' })
  @IsIn(GRANTEE_KINDS)
  kind: GranteeKind;

  @ApiProperty({
    example: 'developers',
    description: 'Teams and robots are those of the organization that has the repository.',
  })
  @IsString()
  @MaxLength(MAX_NAME)
  name: string;

  @ApiProperty({ enum: ROLES, example: 'write' })
  @IsIn(ROLES)
  role: Role;
}

export class PermissionsDto {
  @ApiProperty({ type: [GrantDto], maxItems: MAX_GRANTS })
  @IsArray()
  @ArrayMaxSize(MAX_GRANTS)
  @ValidateNested({ each: true })
  @Type(() => GrantDto)
  grants: GrantDto[];
}

export class EffectiveQueryDto {
  @ApiPropertyOptional({ example: 'alice', description: 'A user; with neither, the caller.' })
  @MayBeAbsent()
  @IsString()
  @MaxLength(MAX_NAME)
  user?: string;

  @ApiPropertyOptional({ example: 'ci', description: 'A robot of the organization that has the repository.' })
  @MayBeAbsent()
  @IsString()
  @MaxLength(MAX_NAME)
  robot?: string;
}

const REASON_KINDS = ['administrator', 'namespaceOwner', 'orgRole', 'orgDefault', 'team', 'grant'] as const;

export class RoleReasonDto {
  @ApiProperty({
    enum: REASON_KINDS,
    example: 'team',
    description: 'The source of the role; `grant` is one to this principal.',
  })
  kind: RoleReason['kind'];

  @ApiProperty({ enum: ROLES, example: 'write' })
  role: Role;

  @ApiPropertyOptional({ example: 'developers', description: 'The team with the grant.' })
  team?: string;

  @ApiPropertyOptional({ example: 'acme', description: 'The organization that gives it.' })
  org?: string;

  @ApiPropertyOptional({ enum: ORG_ROLES, example: 'member', description: 'The user’s role in the organization.' })
  orgRole?: OrgRole;

  constructor(reason: RoleReason) {
    this.kind = reason.kind;
    this.role = reason.role;
    switch (reason.kind) {
      case 'team':
        this.team = reason.team;
        return;
      case 'orgRole':
      case 'orgDefault':
        this.org = reason.org;
        this.orgRole = reason.orgRole;
        return;
      case 'administrator':
      case 'namespaceOwner':
      case 'grant':
        return;
    }
  }
}

export class EffectiveAccessDto {
  @ApiProperty({ enum: ['anonymous', 'user', 'robot'], example: 'user' })
  kind: EffectiveAccess['kind'];

  @ApiProperty({ example: 'alice' })
  name: string;

  @ApiProperty({
    example: true,
    description: 'A disabled or expired principal has no rights. Only administrators see which users are disabled.',
  })
  active: boolean;

  @ApiProperty({
    enum: ROLES,
    type: String,
    nullable: true,
    example: 'write',
    description: 'The strongest of the reasons.',
  })
  role: Role | null;

  @ApiProperty({
    enum: ACTIONS,
    isArray: true,
    example: ['pull', 'push'],
    description: 'A public repository can be pulled by all.',
  })
  actions: readonly Action[];

  @ApiProperty({ type: [RoleReasonDto] })
  reasons: RoleReasonDto[];

  constructor({ kind, name, active, role, actions, reasons }: EffectiveAccess) {
    this.kind = kind;
    this.name = name;
    this.active = active;
    this.role = role;
    this.actions = actions;
    this.reasons = reasons.map((reason) => new RoleReasonDto(reason));
  }
}

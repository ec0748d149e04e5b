import { ApiProperty } from '@nestjs/swagger';
import { type KeyScope, KEY_SCOPES, scopesOfLimits } from '../../access/credential-limits.js';
import { type Membership, type Principal, principalName, type TeamMembership } from '../../access/principal.js';
import { type OrgRole, ORG_ROLES, type Role, ROLES } from '../../access/roles.js';
import type { Credential } from '../../access/credential.js';

const CREDENTIAL_KINDS = ['password', 'session', 'key'] as const;
type CredentialKind = (typeof CREDENTIAL_KINDS)[number];

export class MyOrganizationDto {
  @ApiProperty({ example: 'acme' })
  name: string;

  @ApiProperty({ enum: ORG_ROLES, example: 'member' })
  role: OrgRole;

  @ApiProperty({ enum: ROLES, nullable: true, description: 'The role of each member in each of its repositories.' })
  defaultRole: Role | null;

  constructor({ org, role, defaultRole }: Membership) {
    this.name = org;
    this.role = role;
    this.defaultRole = defaultRole;
  }
}

export class MyTeamDto {
  @ApiProperty({ example: 'acme' })
  organization: string;

  @ApiProperty({ example: 'backend' })
  name: string;

  @ApiProperty({ example: false })
  maintainer: boolean;

  constructor(organization: string, { name, maintainer }: TeamMembership) {
    this.organization = organization;
    this.name = name;
    this.maintainer = maintainer;
  }
}

export class MyCredentialDto {
  @ApiProperty({ enum: CREDENTIAL_KINDS, example: 'session' })
  kind: CredentialKind;

  @ApiProperty({ enum: Object.keys(KEY_SCOPES), isArray: true, nullable: true, description: 'null: no limit.' })
  scopes: KeyScope[] | null;

  @ApiProperty({ type: [String], nullable: true, example: ['acme/app'], description: 'null: no limit.' })
  repositories: string[] | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'null: no expiry.' })
  expiresAt: string | null;

  constructor({ label, limits, expiresAt }: Credential) {
    this.kind = CREDENTIAL_KINDS.find((kind) => label.startsWith(kind)) ?? 'session';
    this.scopes = scopesOfLimits(limits);
    this.repositories = limits.repositories && [...limits.repositories];
    this.expiresAt = expiresAt === null ? null : new Date(expiresAt * 1000).toISOString();
  }
}

/** Who calls, and with what. */
export class MeDto {
  @ApiProperty({ enum: ['user', 'robot'], example: 'user' })
  kind: 'user' | 'robot';

  @ApiProperty({ example: 'alice', description: 'User name, or the login name of a robot.' })
  name: string;

  @ApiProperty({ example: false })
  admin: boolean;

  @ApiProperty({ type: [MyOrganizationDto] })
  organizations: MyOrganizationDto[] = [];

  @ApiProperty({ type: [MyTeamDto] })
  teams: MyTeamDto[] = [];

  @ApiProperty({ type: MyCredentialDto })
  credential: MyCredentialDto;

  constructor(principal: Exclude<Principal, { kind: 'anonymous' }>, credential: Credential) {
    this.kind = principal.kind;
    this.name = principalName(principal);
    this.admin = principal.kind === 'user' && principal.admin;
    this.credential = new MyCredentialDto(credential);
    if (principal.kind === 'robot') return;
    const { memberships, teams } = principal;
    this.organizations = memberships.map((membership) => new MyOrganizationDto(membership));
    this.teams = memberships.flatMap(({ orgId, org }) =>
      teams.filter((team) => team.orgId === orgId).map((team) => new MyTeamDto(org, team)),
    );
  }
}

import { Body, Controller, HttpCode, Post, UsePipes } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../access/actor.js';
import type { UserPrincipal } from '../access/principal.js';
import { IdempotentCreates } from '../database/idempotent-creates.service.js';
import { Access } from '../http/access.decorator.js';
import { CurrentActor } from '../http/actor.decorator.js';
import { CreateRequest, type IncomingCreate } from '../http/create-request.decorator.js';
import { CurrentUser } from '../http/current-user.decorator.js';
import { createValidationPipe } from '../http/validation.js';
import { AcceptInvitationDto } from './org-invitation.dto.js';
import { OrgInvitationsService } from './org-invitations.service.js';
import { OrgDto } from './org.dto.js';

/** The side of those who were invited: a code says by itself which organization it is for. */
@ApiTags('organizations')
@Controller('api/v1/invitations')
@UsePipes(createValidationPipe())
export class OrgInvitationAcceptanceController {
  constructor(
    private readonly invitations: OrgInvitationsService,
    private readonly creates: IdempotentCreates,
  ) {}

  @Post('accept')
  @HttpCode(200)
  @Access({ kind: 'user' })
  @ApiOperation({ summary: 'Become a member of the organization that you have a code for' })
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'The same key gets the same answer again' })
  @ApiOkResponse({ type: OrgDto, description: 'The organization, and what you are in it now' })
  accept(
    @Body() { code }: AcceptInvitationDto,
    @CurrentUser() user: UserPrincipal,
    @CurrentActor() actor: Actor,
    @CreateRequest() asked: IncomingCreate,
  ): Promise<OrgDto> {
    return this.creates.run(asked, async (tx) => new OrgDto(await this.invitations.accept(tx, code, user, actor)));
  }
}

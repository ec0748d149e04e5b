import { Controller, Delete, HttpCode, Param, Query, UsePipes } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Caller } from '../../access/caller.js';
import { Access } from '../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../http/guards/current-caller.decorator.js';
import { Audited } from '../../http/guards/audited.decorator.js';
import { createValidationPipe } from '../../http/validation/validation.js';
import { confirmedBy, FORCE, NamespaceDeletionQueryDto } from './namespace-deletions.dto.js';
import { NamespaceDeletionsService } from './namespace-deletions.service.js';

/** Not in the module of organizations, which does not know repositories. */
@ApiTags('organizations')
@Controller('api/v1/orgs')
@UsePipes(createValidationPipe())
export class OrgDeletionController {
  constructor(private readonly deletions: NamespaceDeletionsService) {}

  @Delete(':org')
  @HttpCode(204)
  @Access({ kind: 'organization', action: 'own' })
  @Audited('org.delete')
  @ApiParam({ name: 'org', example: 'acme' })
  @ApiOperation({
    summary: 'Delete an organization; a name that was used stays taken',
    description: FORCE,
  })
  @ApiNoContentResponse({ description: 'Deleted, with its teams, robots and invitations' })
  async delete(
    @Param('org') name: string,
    @Query() query: NamespaceDeletionQueryDto,
    @CurrentCaller() { actor }: Caller,
  ): Promise<void> {
    await this.deletions.deleteOrganization(name, confirmedBy(query), actor);
  }
}

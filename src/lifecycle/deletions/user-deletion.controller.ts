import { Controller, Delete, HttpCode, Param, Query, UsePipes } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Caller } from '../../access/caller.js';
import { Access } from '../../http/guards/access.decorator.js';
import { CurrentCaller } from '../../http/guards/current-caller.decorator.js';
import { Audited } from '../../http/guards/audited.decorator.js';
import { createValidationPipe } from '../../http/validation/validation.js';
import { confirmedBy, FORCE, NamespaceDeletionQueryDto } from './namespace-deletions.dto.js';
import { NamespaceDeletionsService } from './namespace-deletions.service.js';

/** Not in the module of users, which does not know repositories. */
@ApiTags('users')
@Controller('api/v1/users')
@UsePipes(createValidationPipe())
export class UserDeletionController {
  constructor(private readonly deletions: NamespaceDeletionsService) {}

  @Delete(':username')
  @HttpCode(204)
  @Access({ kind: 'user' })
  @Audited('user.delete')
  @ApiOperation({
    summary: 'Delete a user: yourself, or any user as an administrator',
    description:
      `Refused for an organization’s last owner and for the last administrator, also with \`force\`. ${FORCE} ` +
      'A name that was used stays taken until an administrator releases it.',
  })
  @ApiNoContentResponse({ description: 'Deleted; every credential of the user is refused from the next request on' })
  async delete(
    @Param('username') username: string,
    @Query() query: NamespaceDeletionQueryDto,
    @CurrentCaller() caller: Caller,
  ): Promise<void> {
    await this.deletions.deleteUser(username, confirmedBy(query), caller);
  }
}

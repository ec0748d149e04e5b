import { Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../access/actor.js';
import { Access } from '../http/access.decorator.js';
import { CurrentActor } from '../http/actor.decorator.js';
import { NamespacesService } from './namespaces.service.js';

@ApiTags('users')
@Controller('api/v1/namespaces')
export class NamespacesController {
  constructor(private readonly namespaces: NamespacesService) {}

  @Post(':name/release')
  @HttpCode(204)
  @Access({ kind: 'administrator' })
  @ApiOperation({ summary: 'Let the name of a deleted user or organization be taken again' })
  @ApiParam({ name: 'name', example: 'alice' })
  @ApiNoContentResponse({ description: 'Whoever asks next gets the name' })
  async release(@Param('name') name: string, @CurrentActor() actor: Actor): Promise<void> {
    await this.namespaces.release(name, actor);
  }
}

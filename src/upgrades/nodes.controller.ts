import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access } from '../http/guards/access.decorator.js';
import { NodesDto } from './nodes.dto.js';
import { UpgradeState } from './upgrade-state.service.js';

@ApiTags('administration')
@Controller('api/v1/admin/nodes')
@Access({ kind: 'administrator' })
export class NodesController {
  constructor(private readonly upgrades: UpgradeState) {}

  @Get()
  @ApiOperation({ summary: 'List the nodes that live, and how far an upgrade is' })
  @ApiOkResponse({ type: NodesDto })
  async list(): Promise<NodesDto> {
    const nodes = await this.upgrades.live();
    return new NodesDto(this.upgrades.level, nodes);
  }
}

import { Controller, Get, HttpStatus, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Access } from '../../http/guards/access.decorator.js';
import { HealthDto } from './health.dto.js';
import { type Health, HealthService } from './health.service.js';

@ApiTags('health')
@Controller()
export class HealthController {
  constructor(private readonly health: HealthService) {}

  @Get('api/v1/health')
  @Access({ kind: 'public', limit: 'none' })
  @ApiOperation({ summary: 'Read the health of the registry and its dependencies' })
  @ApiOkResponse({ type: HealthDto })
  @ApiServiceUnavailableResponse({ type: HealthDto })
  async report(@Res({ passthrough: true }) response: Response): Promise<Health> {
    const health = await this.health.health();
    answer(response, health.status);
    return health;
  }

  @Get('livez')
  @Access({ kind: 'public', limit: 'none' })
  @ApiOperation({ summary: 'Liveness: restart the process if it does not answer' })
  @ApiOkResponse({ description: 'It answers', schema: { example: { status: 'ok' } } })
  live(): Pick<Health, 'status'> {
    return { status: 'ok' };
  }

  @Get('readyz')
  @Access({ kind: 'public', limit: 'none' })
  @ApiOperation({ summary: 'Readiness: not while it stops, nor without database or store' })
  @ApiOkResponse({ description: 'Ready', schema: { example: { status: 'ok' } } })
  @ApiServiceUnavailableResponse({ description: 'Not ready', schema: { example: { status: 'draining' } } })
  async ready(@Res({ passthrough: true }) response: Response): Promise<Pick<Health, 'status'>> {
    const status = await this.health.readiness();
    answer(response, status);
    return { status };
  }
}

function answer(response: Response, status: Health['status']): void {
  const isServing = status === 'ok' || status === 'degraded';
  response.status(isServing ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE).setHeader('Cache-Control', 'no-store');
}

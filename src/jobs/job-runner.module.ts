import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { JobAttempts } from './job-attempts.service.js';
import { JobRunner } from './job-runner.service.js';
import { JobsController } from './jobs.controller.js';
import { JobsModule } from './jobs.module.js';

/** For a node: it works on what modules enqueue, and shows it. Offline administration does neither. */
@Module({
  imports: [JobsModule, DiscoveryModule],
  controllers: [JobsController],
  providers: [JobAttempts, JobRunner],
})
export class JobRunnerModule {}

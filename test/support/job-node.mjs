// A process of the build that works on jobs of a kind of its own, and nothing else: started with the variables of a node.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ConfigModule } from '../../dist/src/config/config.module.js';
import { readConfig } from '../../dist/src/config/read-config.js';
import { UnitOfWork } from '../../dist/src/database/unit-of-work.js';
import { DatabaseModule } from '../../dist/src/database/database.module.js';
import { JobHandler } from '../../dist/src/jobs/job-handler.js';
import { JobRunnerModule } from '../../dist/src/jobs/job-runner.module.js';
import { JobType, NoPayload } from '../../dist/src/jobs/job-type.js';
import { Jobs } from '../../dist/src/jobs/jobs.service.js';
import { JobsModule } from '../../dist/src/jobs/jobs.module.js';

const TYPE = new JobType('test.effect', NoPayload, { isUnique: true });
const LOOK_MS = 100;

/** Writes that it has begun, waits until the test opens the gate, and has its effect in the transaction that ends the job. */
class EffectHandler extends JobHandler {
  type = TYPE;

  constructor(unitOfWork) {
    super();
    this.unitOfWork = unitOfWork;
  }

  async run(_payload, run) {
    await this.query('INSERT INTO begun (job, attempt, pid) VALUES ($1, $2, $3)', [run.id, run.attempt, process.pid]);
    run.progress(1, 2);
    while ((await this.query('SELECT FROM gate')).length === 0) {
      await new Promise((resolve) => {
        setTimeout(resolve, LOOK_MS);
      });
    }
    await this.unitOfWork.run(async (tx) => {
      await tx.query('INSERT INTO effects (job, attempt, pid) VALUES ($1, $2, $3)', [run.id, run.attempt, process.pid]);
      await run.complete(tx);
    });
  }

  query(text, values) {
    return this.unitOfWork.runStatement((tx) => tx.query(text, values));
  }
}

class JobNodeModule {}
Module({
  imports: [ConfigModule.forRoot(readConfig()), DatabaseModule, JobsModule, JobRunnerModule],
  providers: [
    { provide: EffectHandler, useFactory: (unitOfWork) => new EffectHandler(unitOfWork), inject: [UnitOfWork] },
  ],
})(JobNodeModule);

const app = await NestFactory.createApplicationContext(JobNodeModule, { logger: ['warn', 'error'] });
process.on('SIGTERM', () => void app.close());
if (process.env.ENQUEUE === '1') await app.get(UnitOfWork).run((tx) => app.get(Jobs).enqueue(tx, TYPE, {}));

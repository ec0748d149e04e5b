import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../../src/app.module.js';
import { AppConfig } from '../../src/config/config.js';

/** The application's modules and routes, without a provider of theirs being made: it needs no database and no store. */
export async function previewApp(): Promise<INestApplication> {
  // Nobody is made who could read more of the configuration than which modules there are.
  const config = Object.assign(Object.create(AppConfig.prototype) as AppConfig, { server: { metrics: null } });
  const module = AppModule.forRoot(config);
  const options = { preview: true, logger: false } as const;
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest declares its options as classes and takes literals
  return NestFactory.create(module, options);
}

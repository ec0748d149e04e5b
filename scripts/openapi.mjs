// Writes docs/openapi.json from the built sources: `npm run openapi` after `npm run build`.
import 'reflect-metadata';
import { writeFileSync } from 'node:fs';
import { NestFactory } from '@nestjs/core';

const { AppModule } = await import('../dist/src/app.module.js');
const { createOpenApiDocument } = await import('../dist/src/http/openapi/openapi.js');

// A preview makes no providers: no database and no store is needed, and of the configuration only which modules there are.
const app = await NestFactory.create(AppModule.forRoot({ server: { metrics: null } }), {
  preview: true,
  logger: false,
});
const file = new URL('../docs/openapi.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(createOpenApiDocument(app), null, 2)}\n`);

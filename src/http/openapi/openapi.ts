import type { INestApplication } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { Express } from 'express';
import { HEADERS, PROBLEM_SCHEMAS, withErrors } from './openapi-errors.js';
import { PATH_EXAMPLES } from './registry-examples.js';
import { REGISTRY_OPERATION, type RegistryOperationOptions } from './registry-operation.decorator.js';

const DOCS_PATH = 'api/docs';
const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete'] as const;

const DESCRIPTION = `Two interfaces on one address: the management API under \`/api/v1\` (JSON; errors are problem \
documents of RFC 9457) and the registry protocol under \`/v2\` (OCI distribution specification).

**Authorize** with user name and password (Basic) or with an access token (Bearer). \`POST /api/v1/auth/token\` with \
\`{"username": "…", "password": "…"}\` gives a token that opens both interfaces.

A repository name of several components is one path segment: \`acme%2Fteam%2Fapp\` under \`/v2\`, \`team%2Fapp\` after \
its namespace under \`/api/v1\`. Where a gateway refuses \`%2F\`, \`/v2/acme/team/app/…\` and \
\`/api/v1/repos/acme/team/app/-\` are the same paths.`;

type PathItem = OpenAPIObject['paths'][string];
type Operation = NonNullable<PathItem['get']>;
/** What `@RegistryOperation` has left. */
interface Extended {
  readonly [REGISTRY_OPERATION]?: RegistryOperationOptions;
}
type Parameter = NonNullable<Operation['parameters']>[number];

/** The whole API. Controllers describe their routes; what all routes have in common is added here. */
export function createOpenApiDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Aerugo')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' })
    .addBasicAuth()
    .addSecurityRequirements('bearer')
    .addSecurityRequirements('basic')
    .build();
  const document = SwaggerModule.createDocument(app, config);
  const paths = Object.entries(document.paths).map(([path, item]) => [path, describe(path, item)] as const);
  return {
    ...document,
    paths: Object.fromEntries(paths),
    components: {
      ...document.components,
      headers: HEADERS,
      schemas: { ...document.components?.schemas, ...PROBLEM_SCHEMAS },
    },
  };
}

/**
 * `/api/docs` and `/api/docs-json`, made at the first request; the page loads nothing from other hosts.
 * `/` in a browser redirects there.
 */
export function serveOpenApi(app: NestExpressApplication): void {
  const express: Express = app.getHttpAdapter().getInstance();
  express.get('/', (_request, response) => {
    response.redirect(`/${DOCS_PATH}`);
  });
  SwaggerModule.setup(DOCS_PATH, app, () => createOpenApiDocument(app), {
    customSiteTitle: 'Aerugo API',
    raw: ['json'],
    swaggerOptions: {
      validatorUrl: null,
      displayRequestDuration: true,
      persistAuthorization: false, // a password would stay in the browser for the next person
      queryConfigEnabled: false, // an address must not bring a document or settings of its own
    },
  });
}

function describe(path: string, item: PathItem): PathItem {
  const described = { ...item };
  for (const method of METHODS) {
    const operation = item[method];
    if (!operation) continue;
    const { [REGISTRY_OPERATION]: options, ...plain } = operation as Operation & Extended;
    described[method] = withErrors(options ? supplemented(plain, path, options) : plain, path, method);
  }
  return described;
}

function supplemented(operation: Operation, path: string, options: RegistryOperationOptions): Operation {
  const { summary, body, answers } = options;
  const responses = Object.fromEntries(answers.map(([status, ...answer]) => [status, response(...answer)]));
  return {
    ...operation,
    tags: ['registry'],
    summary,
    parameters: parametersOf(operation, path, options),
    ...(body ? { requestBody: { content: content(...body) } } : {}),
    responses: { ...described(operation), ...responses },
  };
}

function parametersOf(
  { parameters = [] }: Operation,
  path: string,
  { query, headers }: RegistryOperationOptions,
): Parameter[] {
  const own: Parameter[] = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => {
    const [example, description] = PATH_EXAMPLES[name] ?? ['', ''];
    return { name, in: 'path', required: true, description, example, schema: { type: 'string' } };
  });
  own.push(...optional('query', query), ...optional('header', headers));
  const isOwn = (parameter: Parameter): boolean =>
    'name' in parameter && own.some((one) => 'name' in one && one.name === parameter.name);
  return [...own, ...parameters.filter((parameter) => !isOwn(parameter))];
}

function optional(place: 'query' | 'header', examples: Readonly<Record<string, string>> = {}): Parameter[] {
  // The Swagger UI would send an example with every trial of the route.
  return Object.entries(examples).map(([name, example]) => ({
    name,
    in: place,
    required: false,
    description: `Such as \`${example}\``,
    schema: { type: 'string' },
  }));
}

/** Answers that a decorator says something of; Nest adds an empty 200 to routes without any. */
function described({ responses }: Operation): Operation['responses'] {
  const entries = Object.entries(responses).filter(
    ([, answer]) => answer && 'description' in answer && answer.description !== '',
  );
  return Object.fromEntries(entries);
}

function response(description: string, mediaType?: string, example?: unknown): Operation['responses'][string] {
  return { description, ...(mediaType === undefined ? {} : { content: content(mediaType, example) }) };
}

function content(mediaType: string, example?: unknown): Record<string, { schema: object; example?: unknown }> {
  const schema = example === undefined ? { type: 'string', format: 'binary' } : { type: 'object' };
  return { [mediaType]: { schema, ...(example === undefined ? {} : { example }) } };
}

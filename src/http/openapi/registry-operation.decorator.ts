import { ApiExtension } from '@nestjs/swagger';

/** Where Nest's description of a route keeps what follows until the document is made. */
export const REGISTRY_OPERATION = 'x-registry-operation';

export interface RegistryOperationOptions {
  readonly summary: string;
  /** Optional query parameters with an example each. */
  readonly query?: Readonly<Record<string, string>>;
  /** Optional request headers with an example each. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The request's media type, and an example where it is JSON; otherwise it is bytes. */
  readonly body?: readonly [mediaType: string, example?: unknown];
  /** Successful answers: the status, what it says, and for JSON the media type with an example. */
  readonly answers: readonly (readonly [status: number, text: string, mediaType?: string, example?: unknown])[];
}

/**
 * Describes a route of /v2: these routes read requests and write answers by hand, so no class describes their bodies.
 * Parameters of the path are described for all of them together.
 */
export function RegistryOperation(options: RegistryOperationOptions): MethodDecorator {
  return ApiExtension(REGISTRY_OPERATION, options);
}

/** The part of JSON Schema that the data of events needs; `ValueOf` is the type of what a schema admits. */
export type Schema = ScalarSchema | EnumSchema | ListSchema | ObjectSchema<Fields, Fields>;

export type Fields = Readonly<Record<string, Schema>>;

interface Scalars {
  readonly string: string;
  readonly integer: number;
  readonly boolean: boolean;
  readonly null: null;
}

interface ScalarSchema {
  readonly type: keyof Scalars | readonly (keyof Scalars)[];
  readonly pattern?: string;
}

interface EnumSchema {
  readonly enum: readonly (string | null)[];
}

interface ListSchema {
  readonly type: 'array' | readonly ['array', 'null'];
  readonly items: Schema;
}

export interface ObjectSchema<Required extends Fields, Optional extends Fields> {
  readonly type: 'object';
  readonly properties: Required & Optional;
  readonly required: readonly string[];
  readonly additionalProperties: false;
}

export type ValueOf<S> =
  S extends ObjectSchema<infer Required, infer Optional>
    ? { readonly [Name in keyof Required]: ValueOf<Required[Name]> } & {
        readonly [Name in keyof Optional]?: ValueOf<Optional[Name]> | undefined;
      }
    : S extends { readonly enum: readonly (infer Value)[] }
      ? Value
      : S extends { readonly type: infer Type; readonly items: infer Item }
        ? readonly ValueOf<Item>[] | (Type extends 'array' ? never : null)
        : S extends { readonly type: infer Type }
          ? ScalarOf<Type>
          : never;

type ScalarOf<Type> = Type extends keyof Scalars
  ? Scalars[Type]
  : Type extends readonly (infer Name extends keyof Scalars)[]
    ? Scalars[Name]
    : never;

/** An object with exactly these fields; an optional one is left out, never `null`. */
// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- the default is no optional field
export function object<Required extends Fields, Optional extends Fields = Record<never, never>>(
  required: Required,
  optional?: Optional,
): ObjectSchema<Required, Optional> {
  return {
    type: 'object',
    properties: { ...required, ...optional } as Required & Optional,
    required: Object.keys(required),
    additionalProperties: false,
  };
}

export function list<Item extends Schema>(items: Item): { readonly type: 'array'; readonly items: Item } {
  return { type: 'array', items };
}

export function listOrNull<Item extends Schema>(
  items: Item,
): { readonly type: readonly ['array', 'null']; readonly items: Item } {
  return { type: ['array', 'null'], items };
}

export const TEXT = { type: 'string' } as const satisfies Schema;
export const TEXT_OR_NULL = { type: ['string', 'null'] } as const satisfies Schema;
export const COUNT = { type: 'integer' } as const satisfies Schema;
export const FLAG = { type: 'boolean' } as const satisfies Schema;
/** RFC 3339, in UTC. */
export const TIME = {
  type: 'string',
  pattern: String.raw`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`,
} as const satisfies Schema;
export const TIME_OR_NULL = { ...TIME, type: ['string', 'null'] } as const satisfies Schema;
const DIGEST_PATTERN = '^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$';
export const DIGEST = { type: 'string', pattern: DIGEST_PATTERN } as const satisfies Schema;
export const DIGEST_OR_NULL = { type: ['string', 'null'], pattern: DIGEST_PATTERN } as const satisfies Schema;

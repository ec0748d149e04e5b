import { describe, expect, it } from '@jest/globals';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsOptional, Length, MaxLength, ValidateNested } from 'class-validator';
import { ApiError, type FieldError } from '../errors/api-error.js';
import { validated } from './validation.js';

class Item {
  @MaxLength(3)
  readonly name!: string;

  @IsOptional()
  @Length(1, 3)
  readonly tag?: string;
}

class Body {
  @IsArray()
  @ArrayMaxSize(1)
  @ValidateNested({ each: true })
  @Type(() => Item)
  readonly items!: Item[];
}

async function wrongFields(body: object): Promise<readonly FieldError[]> {
  try {
    await validated(Body, body);
    return [];
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return (error.options.errors ?? []) as readonly FieldError[];
  }
}

describe('a wrong field', () => {
  it('that is missing is called missing, and not too long', async () => {
    expect(await wrongFields({})).toEqual([{ field: 'items', message: 'items is missing' }]);
    expect(await wrongFields({ items: [{}] })).toEqual([{ field: 'items.0.name', message: 'name is missing' }]);
  });

  it('that is there is called by the rule that it breaks', async () => {
    expect(await wrongFields({ items: [{ name: 'long', tag: 'a' }] })).toEqual([
      { field: 'items.0.name', message: 'name must be shorter than or equal to 3 characters' },
    ]);
    expect(await wrongFields({ items: [{ name: null }] })).toMatchObject([{ field: 'items.0.name' }]);
  });

  it('that no DTO has is called unknown beside one that is missing', async () => {
    expect(await wrongFields({ items: [{ nam: 'a' }] })).toEqual([
      { field: 'items.0.nam', message: 'property nam should not exist' },
      { field: 'items.0.name', message: 'name is missing' },
    ]);
  });
});

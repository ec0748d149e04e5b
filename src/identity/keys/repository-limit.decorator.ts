import { ValidateBy, type ValidationOptions } from 'class-validator';
import { isNameComponent, MAX_NAME_LENGTH } from '../../oci/repository-name.js';

const EVERYTHING_BELOW = '/*';

/** Whether a key may be limited to it: a namespace (`acme`), a repository (`acme/app`), a path (`acme/team/*`). */
export function isRepositoryLimit(text: string): boolean {
  const path = text.endsWith(EVERYTHING_BELOW) ? text.slice(0, -EVERYTHING_BELOW.length) : text;
  return path.length <= MAX_NAME_LENGTH && path.split('/').every(isNameComponent);
}

export function IsRepositoryLimit(options: ValidationOptions = {}): PropertyDecorator {
  return ValidateBy(
    {
      name: 'repositoryLimit',
      validator: {
        validate: (value: unknown) => typeof value === 'string' && isRepositoryLimit(value),
        defaultMessage: () => 'must be namespaces, repositories or paths such as acme, acme/app, acme/team/*',
      },
    },
    options,
  );
}

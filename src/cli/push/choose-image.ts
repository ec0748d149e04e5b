import { CliError, EXIT_CODES } from '../exit-codes.js';

/** The one that has the name, or the only one. */
export function chooseImage<T>(images: readonly T[], namesOf: (image: T) => readonly string[], name?: string): T {
  const found = name === undefined ? images : images.filter((image) => namesOf(image).includes(name));
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  const names = [...new Set(images.flatMap(namesOf))];
  const known = names.length === 0 ? 'they have no names' : `it has ${names.join(', ')}`;
  if (images.length === 0) throw new CliError('there is no image in it');
  if (found.length === 0) throw new CliError(`there is no image ${name ?? ''}: ${known}`, EXIT_CODES.usage);
  throw new CliError(`there are ${found.length} images in it, so name one with --image: ${known}`, EXIT_CODES.usage);
}

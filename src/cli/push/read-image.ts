import { OciError } from '../../oci/oci-error.js';
import { CliError } from '../exit-codes.js';
import { readDockerArchive } from './docker-archive.js';
import { type ImageFiles, openImageFiles } from './image-files.js';
import type { Image } from './image.js';
import { readLayout } from './oci-layout.js';

/**
 * The image in an OCI layout (directory or tar) or in what `docker save` made, old or new. `name` says which, where
 * there are several. Throws `CliError`.
 */
export async function readImage(path: string, name: string | undefined): Promise<Image> {
  const files = await openImageFiles(path);
  try {
    return await readFiles(path, files, name);
  } catch (error) {
    if (!(error instanceof OciError)) throw error;
    throw new CliError(`${path} is wrong: ${error.message} ${JSON.stringify(error.detail)}`, 1, { cause: error });
  }
}

async function readFiles(path: string, files: ImageFiles, name: string | undefined): Promise<Image> {
  // New archives of docker are both; the layout has the exact manifests.
  const index = await files.find('index.json');
  if (index !== null) return readLayout(files, index, name);
  const list = await files.find('manifest.json');
  if (list !== null) return readDockerArchive(files, list, name);
  throw new CliError(`${path} has neither index.json (an OCI layout) nor manifest.json (docker save)`);
}

import { nameInNamespace, namespaceOf, type RepositoryName } from '../../oci/repository-name.js';

/**
 * The paths of a repository's routes below `api/v1/repos`, with `rest` after the repository. A name of several components
 * is one percent-encoded segment. Some gateways decode or refuse `%2F`: there the components are segments and `-`, which
 * cannot be one, ends them.
 *
 * `acme/app/tags/-` is the repository `acme/app/tags` and no tag: the repository's own routes come before those with a
 * rest, since `AppModule` lists their module first.
 */
export function repositoryPaths(rest = ''): string[] {
  return [`:namespace/:name${rest}`, `:namespace/*name/-${rest}`];
}

/** Where the management API has the repository. */
export function repositoryLocation(path: RepositoryName): string {
  return `/api/v1/repos/${namespaceOf(path)}/${encodeURIComponent(nameInNamespace(path))}`;
}

import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Dockerd } from '../support/dockerd.js';
import { findProgram, needProgram, run, scratchDirectory } from '../support/processes.js';

/** Where the machine's trust in certificates is found inside. */
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Stands in for the image that the Dockerfile is based on, where none can be pulled: what of that one the Dockerfile
 * uses, from the files of this machine. Node and npm, a shell, their libraries, names and certificates.
 */
export async function importBaseImage({ docker }: Dockerd, name: string): Promise<void> {
  const root = scratchDirectory('base');
  const place = (file: string): string => {
    const inside = path.join(root, file);
    mkdirSync(path.dirname(inside), { recursive: true });
    return inside;
  };
  const programs = { '/usr/local/bin/node': process.execPath, '/bin/sh': '/bin/sh', '/usr/bin/env': '/usr/bin/env' };
  for (const [inside, program] of Object.entries(programs)) copyFileSync(realpathSync(program), place(inside));
  const libraries = Object.values(programs).flatMap(librariesOf);
  for (const library of new Set([...libraries, ...libraries.flatMap(restOfLibc)])) {
    copyFileSync(library, place(library));
  }

  const npm = path.dirname(path.dirname(realpathSync(needNpm())));
  cpSync(npm, place('/usr/local/lib/node_modules/npm'), { recursive: true });
  writeFileSync(
    place('/usr/local/bin/npm'),
    '#!/bin/sh\nexec node /usr/local/lib/node_modules/npm/bin/npm-cli.js "$@"\n',
    {
      mode: 0o755,
    },
  );
  writeFileSync(place('/etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  writeFileSync(place('/etc/group'), 'root:x:0:\n');
  writeFileSync(place(CERTIFICATES), readFileSync(process.env['NODE_EXTRA_CA_CERTS'] ?? CERTIFICATES));
  mkdirSync(place('/root'));
  mkdirSync(place('/tmp'), { mode: 0o777 });

  const archive = path.join(scratchDirectory('base-archive'), 'root.tar');
  await run('tar', ['--create', '--file', archive, '--directory', root, '.']);
  const settings = ['PATH=/usr/local/bin:/usr/bin:/bin', `NODE_EXTRA_CA_CERTS=${CERTIFICATES}`];
  await docker(['import', ...settings.flatMap((setting) => ['--change', `ENV ${setting}`]), archive, name]);
}

/** The npm of the machine, not one of node_modules. */
function needNpm(): string {
  return findProgram('npm') ?? needProgram('npm');
}

function librariesOf(program: string): string[] {
  const listed = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...listed.matchAll(/(?:^|=>)\s*(\/\S+)/gm)].map(([, file]) => file ?? '');
}

/** The system's own libraries that only native packages ask for. */
function restOfLibc(library: string): string[] {
  if (path.basename(library) !== 'libc.so.6') return [];
  const directory = path.dirname(library);
  const names = readdirSync(directory).filter((name) => /^lib(?:rt|dl|m|pthread|util|resolv)\.so\.\d+$/.test(name));
  return names.map((name) => path.join(directory, name));
}

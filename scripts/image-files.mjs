// The last step of building the image (Dockerfile): picks what runs out of a built checkout without dev packages.
//
//   node scripts/image-files.mjs DIRECTORY
//
// makes DIRECTORY/packages, /registry and /state, each the root of one layer. All times are SOURCE_DATE_EPOCH and all
// modes are the same whoever builds, so that equal sources make equal layers. No dependencies.
import { chmodSync, cpSync, lstatSync, lutimesSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const PROGRAM = '/app/dist/src/cli/main.js';
/** Anybody may look; the user that the platform chooses has at least the group. */
const MODES = { directory: 0o755, file: 0o644, program: 0o755, state: 0o770 };

/** What Node never reads: types, source maps, prose, sources and builds for browsers, and npm's own records. */
const LEFT_OUT = [
  /\.(?:map|[cm]?ts|md|markdown|flow)$/i,
  /^node_modules\/\.(?:bin|package-lock\.json)$/,
  /^node_modules\/typescript$/, // a compiler plugin of @nestjs/swagger wants it, at build time
  /^node_modules\/typeorm\/browser$/,
  /^node_modules\/(?:rxjs\/dist|class-validator|libphonenumber-js)\/bundles?$/,
  /^node_modules\/rxjs\/dist\/(?:esm|esm5)$/,
  /^node_modules\/class-validator\/(?:esm5|esm2015)$/,
];

/** Whether a file or directory of the checkout belongs into the image. */
export function isRun(name) {
  return !LEFT_OUT.some((rule) => rule.test(name));
}

function main([target]) {
  if (target === undefined) throw new Error('usage: node scripts/image-files.mjs DIRECTORY');
  const at = (...parts) => path.join(target, ...parts);
  copy('node_modules', at('packages', 'app'));
  for (const name of ['dist', 'package.json']) copy(name, at('registry', 'app'));
  mkdirSync(at('registry', 'usr', 'local', 'bin'), { recursive: true });
  symlinkSync(PROGRAM, at('registry', 'usr', 'local', 'bin', 'aerugo'));
  mkdirSync(at('state', 'data'), { recursive: true });
  even(target, Number(process.env.SOURCE_DATE_EPOCH));
  chmodSync(at('registry', PROGRAM), MODES.program);
  chmodSync(at('state', 'data'), MODES.state);
}

function copy(name, directory) {
  const filter = (source) => isRun(path.relative(ROOT, source).split(path.sep).join('/'));
  cpSync(path.join(ROOT, name), path.join(directory, name), { recursive: true, verbatimSymlinks: true, filter });
}

/** The same modes and times everywhere below; a directory last, since what changes in it changes its time. */
function even(file, seconds) {
  const facts = lstatSync(file);
  if (facts.isDirectory()) for (const name of readdirSync(file)) even(path.join(file, name), seconds);
  if (!facts.isSymbolicLink()) chmodSync(file, facts.isDirectory() ? MODES.directory : MODES.file);
  lutimesSync(file, seconds, seconds);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));

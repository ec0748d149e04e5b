import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { load } from 'js-yaml';

const ROOT = path.join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const PINNED = /^[\w./-]+:v?\d+(?:\.\d+)+[\w.-]*@sha256:[0-9a-f]{64}$/;

/** Every string under a key `image`, at any depth. */
function imagesIn(value: unknown): string[] {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'image' && typeof inner === 'string' ? [inner] : imagesIn(inner),
  );
}

const BASES = [...read('Dockerfile').matchAll(/^FROM (\S+)(?: AS (\S+))?$/gm)];
const STAGES = BASES.map(([, , stage]) => stage);
const FILES: Record<string, string[]> = {
  Dockerfile: BASES.flatMap(([, image = '']) => (STAGES.includes(image) ? [] : [image])),
  'docker-compose.yml': imagesIn(load(read('docker-compose.yml'))).filter((image) => !image.includes('AERUGO_IMAGE')),
  'helm/aerugo/values.yaml': imagesIn(load(read('helm/aerugo/values.yaml'))),
};

describe('the images that are run or built on', () => {
  it.each(Object.entries(FILES))('of %s have a whole version and a digest', (_file, images) => {
    expect(images.length).toBeGreaterThan(0);
    expect(images.filter((image) => !PINNED.test(image))).toEqual([]);
  });
});

// needs: helm
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { run, scratchDirectory } from '../support/processes.js';
import { example, helm, KUBERNETES, parse, podsOf } from './chart.js';

const ROOT = path.join(import.meta.dirname, '../..');
const SCRIPT = path.join(ROOT, 'scripts/package-chart.sh');
const IMAGE = 'ghcr.io/example/aerugo';
const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

/** `helm` is where the other programs of the tests are. */
async function packageChart(...args: string[]): Promise<{ code: number | null; stderr: string }> {
  const search = [process.env['PATH'], `${process.env['HOME']}/go/bin`].join(':');
  return run('bash', [SCRIPT, ...args], { anyCode: true, env: { ...process.env, PATH: search } });
}

describe('the chart of a release', () => {
  let archive: string;
  beforeAll(async () => {
    const directory = scratchDirectory('package');
    const { code, stderr } = await packageChart('9.8.7', IMAGE, DIGEST, directory);
    expect([code, stderr]).toEqual([0, '']);
    archive = path.join(directory, 'aerugo-9.8.7.tgz');
  });

  it('runs the image of the release by its digest, and every other one by a digest too', async () => {
    const args = ['template', 'demo', archive, '--kube-version', KUBERNETES, ...example('trial')];
    const pods = podsOf(parse(await helm(args)));
    const images = pods.flatMap(({ pod }) =>
      [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(
        (one) => (one as unknown as { image: string }).image,
      ),
    );
    expect(images).toContain(`${IMAGE}@${DIGEST}`);
    expect(images.filter((image) => !/@sha256:[0-9a-f]{64}$/.test(image))).toEqual([]);
  });

  it('has the version of the release', async () => {
    expect(await helm(['show', 'chart', archive])).toMatch(/^appVersion: 9\.8\.7\n(?:.*\n)*version: 9\.8\.7$/m);
  });

  it.each([[[]], [['9.8.7', IMAGE]], [['9.8.7', IMAGE, 'latest']], [['9.8.7', 'a b', DIGEST]]])(
    'is not made of %j',
    async (args) => {
      expect(await packageChart(...args)).toMatchObject({ code: 2 });
    },
  );

  it('is what the workflow makes, with the digest of the image that it pushed', () => {
    const workflow = readFileSync(path.join(ROOT, '.github/workflows/cd.yml'), 'utf8');
    expect(workflow).toContain('digest: ${{ steps.build.outputs.digest }}');
    expect(workflow).toContain('IMAGE_DIGEST: ${{ needs.image.outputs.digest }}');
    expect(workflow).toContain('scripts/package-chart.sh "$VERSION" "$IMAGE" "$IMAGE_DIGEST"\n');
    expect(workflow).not.toContain('helm package');
  });
});

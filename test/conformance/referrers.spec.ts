import { beforeAll, describe, expect } from '@jest/globals';
import {
  describeBytes,
  type Descriptor,
  EMPTY_JSON,
  EMPTY_TYPE,
  IMAGE_CONFIG,
  IMAGE_INDEX,
  IMAGE_MANIFEST,
  unknownDigest,
} from '../support/content.js';
import {
  describeDocument,
  type Document,
  imageOf,
  indexOf,
  pushedImage,
  putDocument,
  uniqueName,
} from './documents.js';
import { allPages } from './pages.js';
import { must, mustNot, ours, should } from './requirement.js';
import { useWorld } from './world.js';

interface Index {
  readonly schemaVersion: number;
  readonly mediaType: string;
  readonly manifests: Descriptor[];
}

const SBOM = 'application/vnd.example.sbom.v1+json';
const SIGNATURE = 'application/vnd.example.signature.v1';

const world = useWorld();
let repository: string;
let subject: Document;

beforeAll(async () => {
  repository = world.newRepository();
  subject = await pushedImage(world.alice, repository, 'v1');
  await world.alice.pushBlob(repository, EMPTY_JSON);
});

const emptyDescriptor = describeBytes(EMPTY_TYPE, EMPTY_JSON);
const about = (document: Document): { subject: Descriptor } => ({ subject: describeDocument(document) });

function artifact(of: Document, artifactType: string, annotations: Record<string, string> = {}): Document {
  const extra = { artifactType, annotations: { unique: uniqueName('a'), ...annotations }, ...about(of) };
  return imageOf(emptyDescriptor, [emptyDescriptor], extra);
}

async function attach(document: Document): Promise<Document> {
  await putDocument(world.alice, repository, document).expect(201);
  return document;
}

async function referrersOf(digest: string, query = ''): Promise<Descriptor[]> {
  const reply = await world.alice.referrers(repository, digest, query).expect(200);
  return reply.json<Index>().manifests;
}

function found(list: readonly Descriptor[], document: Document): Descriptor {
  const descriptor = list.find((entry) => entry.digest === document.digest);
  if (descriptor === undefined) throw new Error(`${document.digest} is not in ${JSON.stringify(list)}`);
  return descriptor;
}

describe('Pushing manifests with subject', () => {
  must('answers with OCI-Subject, by tag and by digest, for images and indexes', async () => {
    const headers = { 'oci-subject': subject.digest };
    for (const document of [artifact(subject, SBOM), indexOf([], { artifactType: SBOM, ...about(subject) })]) {
      await putDocument(world.alice, repository, document).expect(201, { headers });
      await putDocument(world.alice, repository, document, uniqueName('tagged')).expect(201, { headers });
    }
  });

  must('answers with OCI-Subject when the subject does not exist', async () => {
    const digest = unknownDigest();
    const absent = { mediaType: IMAGE_MANIFEST, digest, size: 99 };
    const document = imageOf(emptyDescriptor, [], { artifactType: SBOM, subject: absent });
    await putDocument(world.alice, repository, document).expect(201, { headers: { 'oci-subject': digest } });
    found(await referrersOf(digest), document);
  });

  ours('sends no OCI-Subject for a manifest without a subject', async () => {
    const image = await pushedImage(world.alice, repository);
    const reply = await putDocument(world.alice, repository, image).expect(201);
    expect(reply.header('oci-subject')).toBeUndefined();
  });
});

describe('Listing referrers (end-12a)', () => {
  must('answers 200 with an image index', async () => {
    const reply = await world.alice
      .referrers(repository, subject.digest)
      .expect(200, { headers: { 'content-type': IMAGE_INDEX } });
    expect(reply.json<Index>()).toMatchObject({ schemaVersion: 2, mediaType: IMAGE_INDEX });
  });

  must('describes a referrer with its type, size, artifactType and annotations', async () => {
    const annotations = { 'org.example.format': 'json', 'org.example.empty': '' };
    const sbom = await attach(artifact(subject, SBOM, annotations));
    const entry = found(await referrersOf(subject.digest), sbom);
    expect(entry).toMatchObject({ ...describeDocument(sbom), artifactType: SBOM, annotations });
  });

  must('takes the media type of the config where an image has no artifactType', async () => {
    const image = await pushedImage(world.alice, repository, undefined, about(subject));
    expect(found(await referrersOf(subject.digest), image).artifactType).toBe(IMAGE_CONFIG);
    const blank = await pushedImage(world.alice, repository, undefined, { artifactType: '', ...about(subject) });
    expect(found(await referrersOf(subject.digest), blank).artifactType).toBe(IMAGE_CONFIG);
  });

  must('lists an index with its artifactType', async () => {
    const index = await attach(indexOf([], { artifactType: SBOM, annotations: { a: '1' }, ...about(subject) }));
    const entry = found(await referrersOf(subject.digest), index);
    expect(entry).toMatchObject({ mediaType: IMAGE_INDEX, artifactType: SBOM, annotations: { a: '1' } });
  });

  must('omits artifactType for an index that has none', async () => {
    for (const fields of [{}, { artifactType: '' }]) {
      const index = await attach(indexOf([], { annotations: { u: uniqueName('x') }, ...fields, ...about(subject) }));
      expect(found(await referrersOf(subject.digest), index)).not.toHaveProperty('artifactType');
    }
  });

  must('answers an empty list where nothing refers to the digest', async () => {
    const untouched = await pushedImage(world.alice, repository);
    expect(await referrersOf(untouched.digest)).toEqual([]);
  });

  mustNot('answers 404 for a subject that it does not know, in either algorithm', async () => {
    expect(await referrersOf(unknownDigest())).toEqual([]);
    expect(await referrersOf(unknownDigest('sha512'))).toEqual([]);
  });

  mustNot('answers 404 in a repository that does not exist yet, for a caller who may pull that name', async () => {
    const reply = await world.alice.referrers(world.newRepository(), unknownDigest()).expect(200);
    expect(reply.json<Index>().manifests).toEqual([]);
  });

  must('answers 400 to a digest with invalid syntax', async () => {
    for (const bad of ['sha256:beef', 'latest', `md5:${'0'.repeat(32)}`, 'sha256:']) {
      await world.alice.referrers(repository, bad).expect(400, { code: 'DIGEST_INVALID' });
    }
  });

  must('lists what was pushed before its subject, and keeps it when the subject is deleted', async () => {
    const late = imageOf(emptyDescriptor, [], { annotations: { u: uniqueName('late') } });
    const early = await attach(artifact(late, SBOM));
    found(await referrersOf(late.digest), early);
    await putDocument(world.alice, repository, late).expect(201);
    found(await referrersOf(late.digest), early);
    await world.alice.deleteManifest(repository, late.digest).expect(202);
    found(await referrersOf(late.digest), early);
  });

  must('lists only manifests of the same repository', async () => {
    const other = world.newRepository();
    await world.alice.pushBlob(other, EMPTY_JSON);
    const foreign = artifact(subject, SBOM);
    await putDocument(world.alice, other, foreign).expect(201);
    expect((await referrersOf(subject.digest)).map(({ digest }) => digest)).not.toContain(foreign.digest);
  });

  ours('leaves the referrers tag of older clients to them, beside the list', async () => {
    const sbom = await attach(artifact(subject, SBOM));
    const fallback = indexOf([{ ...describeDocument(sbom), artifactType: SBOM }]);
    const tag = subject.digest.replace(':', '-');
    await putDocument(world.alice, repository, fallback, tag).expect(201);
    await world.alice.getManifest(repository, tag).expect(200, { digest: fallback.digest });
    found(await referrersOf(subject.digest), sbom);
  });

  ours('no longer lists a referrer that was deleted', async () => {
    const gone = await attach(artifact(subject, SBOM));
    await world.alice.deleteManifest(repository, gone.digest).expect(202);
    expect((await referrersOf(subject.digest)).map(({ digest }) => digest)).not.toContain(gone.digest);
  });

  ours('answers somebody without rights the same whether the repository exists or not', async () => {
    const here = await world.bob.referrers(repository, subject.digest);
    const nowhere = await world.bob.referrers(world.newRepository(), subject.digest);
    expect([401, 403, 404]).toContain(here.status);
    expect([here.status, here.codes]).toEqual([nowhere.status, nowhere.codes]);
  });
});

describe('Listing referrers: the artifactType filter (end-12b)', () => {
  let target: Document;
  let sbom: Document;
  let signature: Document;

  beforeAll(async () => {
    target = await pushedImage(world.alice, repository);
    sbom = await attach(artifact(target, SBOM));
    signature = await attach(artifact(target, SIGNATURE));
  });

  should('lists only referrers of the type asked for', async () => {
    const list = await referrersOf(target.digest, `artifactType=${encodeURIComponent(SIGNATURE)}`);
    expect(list.map(({ digest }) => digest)).toEqual([signature.digest]);
    expect(await referrersOf(target.digest, 'artifactType=application/vnd.none')).toEqual([]);
  });

  must('says OCI-Filters-Applied: artifactType when it filtered', async () => {
    const query = `artifactType=${encodeURIComponent(SBOM)}`;
    const headers = { 'oci-filters-applied': 'artifactType' };
    const reply = await world.alice.referrers(repository, target.digest, query).expect(200, { headers });
    expect(reply.json<Index>().manifests.map(({ digest }) => digest)).toEqual([sbom.digest]);
    await world.alice.referrers(world.newRepository(), target.digest, query).expect(200, { headers });
  });

  mustNot('claims a filter that nobody asked for', async () => {
    const reply = await world.alice.referrers(repository, target.digest).expect(200);
    expect(reply.header('oci-filters-applied')).toBeUndefined();
  });

  ours('understands a plus sign that the client did not escape', async () => {
    const list = await referrersOf(target.digest, `artifactType=${SBOM}`);
    expect(list.map(({ digest }) => digest)).toEqual([sbom.digest]);
  });
});

describe('Listing referrers: Link', () => {
  must(
    'sends a Link with rel="next" when the list does not fit one answer, and loses nothing',
    async () => {
      const target = await pushedImage(world.alice, repository);
      const annotations = { filler: 'x'.repeat(60_000) };
      const wanted = new Set<string>();
      for (let i = 0; i < 90; i++) wanted.add((await attach(artifact(target, SBOM, annotations))).digest);
      const pages = await allPages(world.alice, `/v2/${repository}/referrers/${target.digest}`);
      for (const page of pages) {
        page.expect(200, { headers: { 'content-type': IMAGE_INDEX } });
        for (const { digest } of page.json<Index>().manifests) wanted.delete(digest);
      }
      expect(wanted.size).toBe(0);
      expect(pages.length).toBeGreaterThan(1);
    },
    60_000,
  );
});

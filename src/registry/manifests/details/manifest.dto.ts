import { ApiProperty } from '@nestjs/swagger';
import type { Annotations } from '../../../oci/descriptor.js';
import type { ImageConfig } from '../../../oci/image-config.js';
import { platformText } from '../../../oci/platform.js';
import type { ReferrerDescriptor } from '../../../oci/referrers.js';
import type { ManifestRow } from './manifest-details.repository.js';
import type { ManifestDetails } from './manifest-details.service.js';
import type { ShownDescriptor } from '../summaries/manifest-summary.js';
import { ShownManifestDto } from './shown-manifest.dto.js';
import { DIGEST_EXAMPLE, NEXT_PAGE, NULLABLE, TIME_EXAMPLE } from './field-descriptions.js';

const TEXTS = { type: 'object', additionalProperties: { type: 'string' } } as const;

export class DescriptorDto {
  @ApiProperty({ example: 'application/vnd.oci.image.layer.v1.tar+gzip' })
  mediaType: string;

  @ApiProperty({ example: DIGEST_EXAMPLE })
  digest: string;

  @ApiProperty({ type: 'integer', example: 5_242_880 })
  size: number;

  constructor({ mediaType, digest, size }: ShownDescriptor) {
    this.mediaType = mediaType;
    this.digest = digest;
    this.size = size;
  }
}

export class ImageConfigDto {
  @ApiProperty({ ...NULLABLE, example: 'linux' })
  os: string | null;

  @ApiProperty({ ...NULLABLE, example: 'arm64' })
  architecture: string | null;

  @ApiProperty({ ...NULLABLE, example: 'v8' })
  variant: string | null;

  @ApiProperty({ ...NULLABLE, example: TIME_EXAMPLE, description: 'As set by the builder.' })
  created: string | null;

  @ApiProperty({ ...NULLABLE, example: null })
  author: string | null;

  @ApiProperty({
    ...TEXTS,
    example: { 'org.opencontainers.image.version': '1.2' },
    description: 'At most 1,000, of 128 KiB.',
  })
  labels: Annotations;

  constructor({ os, architecture, variant, created, author, labels }: ImageConfig) {
    this.os = os;
    this.architecture = architecture;
    this.variant = variant;
    this.created = created;
    this.author = author;
    this.labels = labels;
  }
}

export class ConfigDto extends DescriptorDto {
  @ApiProperty({
    type: ImageConfigDto,
    nullable: true,
    description: 'Null if it is not the config of an image, exceeds 1 MiB, or cannot be read now.',
  })
  image: ImageConfigDto | null;

  constructor(config: ShownDescriptor, image: ImageConfig | null) {
    super(config);
    this.image = image && new ImageConfigDto(image);
  }
}

export class ChildDto extends DescriptorDto {
  @ApiProperty({ ...NULLABLE, example: 'linux/arm64/v8' })
  platform: string | null;

  @ApiProperty({ example: true, description: 'Whether it is in the repository.' })
  present: boolean;

  constructor(child: ManifestDetails['children'][number]) {
    super(child);
    this.platform = child.platform;
    this.present = child.present;
  }
}

export class ReferrerDto extends DescriptorDto {
  @ApiProperty({ ...NULLABLE, example: 'application/vnd.example.sbom.v1' })
  artifactType: string | null;

  @ApiProperty(TEXTS)
  annotations: Annotations;

  constructor(referrer: ReferrerDescriptor) {
    super(referrer);
    this.artifactType = referrer.artifactType ?? null;
    this.annotations = referrer.annotations ?? {};
  }
}

export class ManifestDto extends ShownManifestDto {
  @ApiProperty({ type: 'integer', example: 17, description: 'GET requests, by any tag; up to 10 s late.' })
  pulls: number;

  constructor(row: ManifestRow, show: { withNames: boolean }) {
    super(row, show);
    this.pulls = row.pulls;
  }
}

export class ManifestListDto {
  @ApiProperty({ type: [ManifestDto] })
  items: readonly ManifestDto[];

  @ApiProperty(NEXT_PAGE)
  next: string | null;
}

export class ManifestDetailsDto extends ManifestDto {
  @ApiProperty({ type: ConfigDto, nullable: true })
  config: ConfigDto | null;

  @ApiProperty({ type: [DescriptorDto], description: 'Layers of an image, blobs of an artifact; at most 1,000.' })
  layers: readonly DescriptorDto[];

  @ApiProperty({ type: [ChildDto], description: 'Entries of an index; at most 1,000.' })
  manifests: readonly ChildDto[];

  @ApiProperty({ ...TEXTS, description: 'At most 1,000, of 128 KiB.' })
  annotations: Annotations;

  @ApiProperty({ type: DescriptorDto, nullable: true })
  subject: DescriptorDto | null;

  @ApiProperty({ type: [String], example: ['latest', 'v1.2'], description: 'At most 100.' })
  tags: readonly string[];

  @ApiProperty({ type: [ReferrerDto], description: 'Manifests with this one as their subject; at most 100.' })
  referrers: readonly ReferrerDto[];

  @ApiProperty({
    example: false,
    description: 'Whether layers, manifests or annotations are omitted here; the manifest has them all.',
  })
  truncated: boolean;

  constructor({ row, summary, image, children, referrers, isCut }: ManifestDetails, show: { withNames: boolean }) {
    super(row, show);
    this.platforms = row.platforms ?? platformsFrom(image);
    this.config = summary.config && new ConfigDto(summary.config, image);
    this.layers = summary.layers.map((layer) => new DescriptorDto(layer));
    this.manifests = children.map((child) => new ChildDto(child));
    this.annotations = summary.annotations;
    this.subject = summary.subject && new DescriptorDto(summary.subject);
    this.tags = row.tags;
    this.referrers = referrers.map((referrer) => new ReferrerDto(referrer));
    this.truncated = isCut;
  }
}

/** Read just now, of an image whose row did not know it. */
function platformsFrom(image: ImageConfig | null): string[] {
  const text = platformText(image);
  return text === null ? [] : [text];
}

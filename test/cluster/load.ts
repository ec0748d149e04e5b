import { setTimeout as sleep } from 'node:timers/promises';
import { pushImage, pullImage } from './image-transfer.js';
import { CarefulClient } from './careful-client.js';
import { chance, type Image, imageNamed } from './image.js';
import { RequestLog } from './request-log.js';
import type { Blob } from './seeded-blob.js';

export interface LoadOptions {
  readonly url: string;
  readonly credentials: { username: string; password: string };
  readonly clients: number;
  readonly images: number;
  readonly largestLayer: number;
  /** The pushes are spread over this time; what is left of it is spent on pulls. */
  readonly seconds: number;
  /** Whom to believe that he is the registry, where it speaks TLS. */
  readonly certificate?: string;
  /** Pulls go on beyond that while this is true. */
  readonly goesOn?: () => boolean;
  /** Runs with other names have other content. */
  readonly name: string;
}

/** What the registry has said that it keeps. */
export interface Acknowledged {
  readonly images: Image[];
  /** By digest, with a repository that holds it. */
  readonly blobs: Map<string, { readonly repository: string; readonly blob: Blob }>;
}

/** Clients that push images which nobody has seen before, and in between pull any of those that are there. */
export class Load {
  readonly log = new RequestLog();
  readonly acknowledged: Acknowledged = { images: [], blobs: new Map() };
  pulls = 0;
  private begun = 0;
  private readonly startedAt = Date.now();
  private isCalledOff = false;

  constructor(private readonly options: LoadOptions) {}

  /** Until every image is pushed and the time is over; throws what no client can do anything about. */
  async run(): Promise<void> {
    const clients = Array.from({ length: this.options.clients }, (_, at) => this.runClient(at));
    try {
      await Promise.all(clients);
    } finally {
      // One has failed: the others end after the image that they are at.
      this.isCalledOff = true;
      await Promise.allSettled(clients);
    }
  }

  get bytes(): number {
    return [...this.acknowledged.blobs.values()].reduce((sum, { blob }) => sum + blob.size, 0);
  }

  private async runClient(at: number): Promise<void> {
    const { url, credentials, images, name, certificate } = this.options;
    const client = new CarefulClient(url, credentials, this.log, undefined, certificate);
    const repository = `${credentials.username}/${name}-${at}`;
    try {
      for (let step = 0; !this.isCalledOff; step++) {
        if (this.begun < images * Math.min(1, this.elapsed)) await this.push(client, repository, this.begun++);
        else if (this.elapsed >= 1 && this.options.goesOn?.() !== true) return;
        else await this.pull(client, `${name} client ${at} step ${step}`);
      }
    } finally {
      client.close();
    }
  }

  /** 0 at the start, 1 when the time is over; a little ahead, so that the first push need not wait. */
  private get elapsed(): number {
    return (Date.now() - this.startedAt + 1) / (this.options.seconds * 1_000);
  }

  private async push(client: CarefulClient, repository: string, number: number): Promise<void> {
    const image = imageNamed(repository, `v${number}`, this.options.largestLayer);
    await pushImage(client, image, number % 2 === 0 ? 'stream' : 'chunks', (blob) => {
      this.acknowledged.blobs.set(blob.digest, { repository, blob });
    });
    this.acknowledged.images.push(image);
  }

  private async pull(client: CarefulClient, name: string): Promise<void> {
    const { images } = this.acknowledged;
    const image = images[Math.floor(chance(name) * images.length)];
    if (image === undefined) {
      await sleep(50);
      return;
    }
    await pullImage(client, image);
    this.pulls++;
  }
}

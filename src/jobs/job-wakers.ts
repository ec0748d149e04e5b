import { Injectable } from '@nestjs/common';

/** Those of this process that wait for jobs, by their kind. */
@Injectable()
export class JobWakers {
  private readonly wakers = new Map<string, () => void>();

  set(name: string, wake: () => void): void {
    this.wakers.set(name, wake);
  }

  has(name: string): boolean {
    return this.wakers.has(name);
  }

  /** Nothing where this process does no such work: another asks for it within seconds. */
  wake(name: string): void {
    this.wakers.get(name)?.();
  }
}

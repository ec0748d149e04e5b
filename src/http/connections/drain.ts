import { Injectable } from '@nestjs/common';

/** Whether this node is on its way out: from then on it is not ready, while what runs gets its time. */
@Injectable()
export class Drain {
  private hasBegun = false;

  get isDraining(): boolean {
    return this.hasBegun;
  }

  begin(): void {
    this.hasBegun = true;
  }
}

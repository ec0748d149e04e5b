import { Injectable } from '@nestjs/common';

/**
 * Whether events are also messages in the outbox. A module that reads and deletes them there opens it before the node
 * serves; without one they would stay for ever, so none are written.
 */
@Injectable()
export class EventOutbox {
  private opened = false;

  get isOpen(): boolean {
    return this.opened;
  }

  open(): void {
    this.opened = true;
  }
}

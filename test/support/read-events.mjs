// Loaded before a registry's main.js, in place of a module that reads events: every event becomes a message in the outbox.
import { EventOutbox } from '../../dist/src/events/event-outbox.js';

Object.defineProperty(EventOutbox.prototype, 'isOpen', { get: () => true });

import { declaredCounter } from '../../../http/declared-metrics.js';

/** Blobs that were marked, by what is wrong with their object. */
export const DAMAGE_FOUND = declaredCounter(
  {
    name: 'aerugo_damage_found_total',
    help: 'Blobs marked as damaged: their object is missing, of another size, or does not match the digest.',
    label: 'kind',
  },
  ['missing', 'size', 'bytes'],
);

/** Marks that ended: the bytes were pushed again, or the object was seen whole. */
export const DAMAGE_ENDED = declaredCounter(
  {
    name: 'aerugo_damage_ended_total',
    help: 'Marks removed: the bytes were pushed again, or the object was found intact.',
    label: 'how',
  },
  ['pushed', 'seen-whole'],
);

import { isSoak } from '../support/soak.js';

const MIB = 2 ** 20;

/** How much is asked of the cluster: `short` on every change, `full` by `npm run soak`. */
const SCALES = {
  short: {
    clients: 8,
    images: 60,
    largestLayer: 32 * MIB,
    /** How long images are pushed and pulled under fire; seconds. */
    kills: { seconds: 15, everySeconds: 2 },
    rolling: { images: 30, seconds: 12, largestLayer: 4 * MIB },
    faults: { redisSeconds: 4, storeSeconds: 4, rounds: 1, calmSeconds: 1 },
    chunkedBytes: 64 * MIB,
    stack: { layerBytes: 256 * MIB, images: 12, seconds: 10, downSeconds: 3 },
    /** How much longer an upload may take when its chunks go around; a second or two of it are soon doubled. */
    mostSlowdown: 5,
    tagMoves: 1_000,
    budget: { pushes: 16, bytes: 24 * MIB },
    /** Of five objects each. */
    damage: { images: 8, damaged: 6, newer: 1, largestLayer: 128 * 1024 },
    /** Uploads that nobody finished are made to expire at once, rather than waited for. */
    isExpiryAwaited: false,
  },
  full: {
    clients: 8,
    images: 200,
    largestLayer: 64 * MIB,
    kills: { seconds: 120, everySeconds: 5 },
    rolling: { images: 200, seconds: 120, largestLayer: 64 * MIB },
    faults: { redisSeconds: 20, storeSeconds: 10, rounds: 2, calmSeconds: 5 },
    chunkedBytes: 1024 * MIB,
    stack: { layerBytes: 2048 * MIB, images: 100, seconds: 60, downSeconds: 20 },
    mostSlowdown: 2,
    tagMoves: 5_000,
    budget: { pushes: 64, bytes: 256 * MIB },
    damage: { images: 100, damaged: 50, newer: 10, largestLayer: 2 * MIB },
    isExpiryAwaited: true,
  },
} as const;

export const scale = SCALES[isSoak ? 'full' : 'short'];

/** For jest, which must not give up before the checks do; milliseconds. */
export const PATIENCE_MS = isSoak ? 30 * 60_000 : 5 * 60_000;

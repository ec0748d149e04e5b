/** Whether `npm run soak` runs the spec file, which then does the whole of what it does in part with each change. */
export const isSoak = process.env['SOAK'] === 'full';

export const RUN_DIRECTORY: string;
export function createRunDirectory(): string;
export function removeRunDirectory(directory: string): Promise<void>;

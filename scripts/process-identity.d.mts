export function isAlive(recorded: { pid: number; startTime: string }): boolean;
export function startTimeOf(pid: number): string;

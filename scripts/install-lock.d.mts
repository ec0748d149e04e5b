export interface InstallLock {
  text(): string;
  add(pid: number): void;
  touch(): void;
  release(): void;
}
export function takeLock(file: string): InstallLock | null;

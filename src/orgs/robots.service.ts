import { Injectable } from '@nestjs/common';
import type { RobotPrincipal } from '../access/principal.js';
import type { Subject } from '../cache/fact-cache.js';
import { type NamedRobot, RobotsRepository } from './robots.repository.js';

/** What is cached of a robot: all that authentication asks on each request. */
export interface RobotFact {
  readonly principal: RobotPrincipal;
  readonly disabled: boolean;
  /** Seconds since the epoch. */
  readonly expiresAt: number | null;
}

export function robotSubject(id: number): Subject {
  return `robot:${id}`;
}

/** What a robot of this organization logs in with. The dot, which is in no short name, keeps organizations apart. */
export function robotLogin(org: string, name: string): string {
  return `robot-${org}.${name}`;
}

@Injectable()
export class RobotsService {
  constructor(private readonly robots: RobotsRepository) {}

  /** The live row, read from the database; whoever caches it does so under `robotSubject`. `null` when deleted. */
  async loadFact(id: number): Promise<RobotFact | null> {
    const row = await this.robots.findFact(id);
    if (!row) return null;
    const { name, orgId, disabled, expiresAt } = row;
    return { principal: { kind: 'robot', id, name, orgId }, disabled, expiresAt };
  }

  /** By its short name or its login name. */
  find(org: string, name: string): Promise<NamedRobot | null> {
    return this.robots.findNamed(org, [name, robotLogin(org, name)]);
  }
}

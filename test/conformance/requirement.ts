import { it } from '@jest/globals';

type Case = () => Promise<void> | void;

function requirement(level: string): (title: string, run: Case, timeout?: number) => void {
  return (title, run, timeout) => {
    it(`[${level}] ${title}`, run, timeout);
  };
}

/**
 * One case for one sentence of the OCI distribution specification's main branch; the surrounding `describe` names its
 * section, the level is the specification's own word. What it requires of clients only is left out.
 */
export const must = requirement('MUST');
export const mustNot = requirement('MUST NOT');
export const should = requirement('SHOULD');
export const shouldNot = requirement('SHOULD NOT');
/** A feature that a registry MAY have; this one has it. */
export const optional = requirement('MAY');
/** Not in the specification: what this project promises on top, and what widespread clients need. */
export const ours = requirement('AERUGO');

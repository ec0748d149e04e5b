import type { Outcome } from './expectation.js';
import type { CallerName } from './callers.js';
import type { Cast, Place, Sent } from './cast.js';

/** A request that succeeds for whoever may make it. */
export interface RequestRow extends Sent {
  readonly path: string;
}

export interface RowContext {
  readonly cast: Cast;
  readonly caller: CallerName;
  /** Whether the policy lets the caller in: then what the request is about has to be there. */
  readonly isAllowed: boolean;
  /** The Location of the upload, for rows with `upload`. */
  readonly location: string;
}

/** How a route is called; its rule says by whom. Keyed by `Controller.method`, as `routesOf` finds them. */
export interface RouteRow {
  readonly success: number | readonly number[];
  /** Whether a call that is allowed changes what another one needs: then each gets a place of its own. */
  readonly changes?: boolean;
  /** Whether it is about an upload that the caller has opened, or that somebody else has where the caller may not. */
  readonly upload?: boolean;
  /** The team in the path, which its maintainers may manage. */
  readonly team?: string;
  /** Callers that the rule lets in and the route itself decides otherwise about. */
  readonly except?: Readonly<Partial<Record<CallerName, Outcome>>>;
  readonly request: (place: Place, context: RowContext) => RequestRow | Promise<RequestRow>;
}

export type RouteRows = Readonly<Record<string, RouteRow>>;

export const to = (path: string, sent: Sent = {}): RequestRow => ({ path, ...sent });

import * as p from './parsers.js';

/** Of a user or an organization, which share one name space. */
export const ACCOUNT_NAME = p.matching(
  /^(?=.{2,39}$)[a-z0-9]+(?:[._-][a-z0-9]+)*$/,
  'must be 2 to 39 lower-case letters and digits, with single . _ or - between them',
);

import { consented } from '../../users/consented.js';

/**
 * The display name of user `u`, in SQL, as the people of an organization see it: only of who joined it themselves
 * (membership `m`). A user can be added to an organization without consent.
 */
export const SHOWN_DISPLAY_NAME = `CASE WHEN ${consented('m')} THEN u.display_name END`;

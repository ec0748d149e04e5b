/**
 * The display name of user `u`, in SQL, as the people of an organization see it: only of who joined it themselves
 * (membership `m`). Anybody can put anybody into an organization of their own.
 */
export const SHOWN_DISPLAY_NAME = 'CASE WHEN m.consented THEN u.display_name END';

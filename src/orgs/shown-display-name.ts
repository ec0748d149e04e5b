/**
 * The display name of user `u`, in SQL, as the people of an organization see it: only of who made the organization (the
 * membership `m` is as old as it) or accepted an invitation. Anybody can put anybody into an organization of their own.
 */
export const SHOWN_DISPLAY_NAME = `CASE WHEN EXISTS (
    SELECT FROM org_invitations i WHERE i.org_id = m.org_id AND i.accepted_by = m.user_id
  ) OR EXISTS (SELECT FROM orgs o WHERE o.id = m.org_id AND o.created_at = m.created_at) THEN u.display_name END`;

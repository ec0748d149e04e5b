/**
 * Whether the user of a row of `org_members`, under this alias, made the organization or joined it themselves; in SQL. Nodes
 * of the version before say so of nobody: who made it has been in it from its first moment, and who accepted an
 * invitation has a row that says so. One that is being accepted in this transaction counts from its end.
 */
export function consented(m: string): string {
  return `(${m}.consented
    OR EXISTS (SELECT FROM orgs made WHERE made.id = ${m}.org_id AND made.created_at = ${m}.created_at)
    OR EXISTS (
      SELECT FROM org_invitations i
      WHERE i.org_id = ${m}.org_id AND i.accepted_by = ${m}.user_id AND i.accepted_at >= ${m}.created_at
        AND i.accepted_at <> now()
    ))`;
}

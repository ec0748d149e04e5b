/**
 * The rules that this version's nodes obey. It is raised by one in a release that adds a rule which nodes of the version
 * before would break, such as an immutable tag; 0 is 0.1.0, whose nodes do not announce themselves. What needs a level
 * asks `UpgradeState` (docs/design/upgrades.md).
 */
export const NODE_LEVEL = 1;

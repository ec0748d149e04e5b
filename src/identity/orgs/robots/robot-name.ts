/** What people call a robot of an organization. No dot: it is where the login name is taken apart. */
export const ROBOT_NAME = /^(?=.{2,39}$)[a-z0-9]+(?:-[a-z0-9]+)*$/;

/** What a robot of this organization logs in with. The dot, which is in no short name, keeps organizations apart. */
export function robotLogin(org: string, name: string): string {
  return `robot-${org}.${name}`;
}

/** The short name in a login name. */
export function robotName(login: string): string {
  return login.slice(login.lastIndexOf('.') + 1);
}

/** The login names that a path may mean, which has the short one or the whole; none for what can be neither. */
export function robotLogins(org: string, text: string): string[] {
  if (ROBOT_NAME.test(text)) return [robotLogin(org, text)];
  return ROBOT_NAME.test(robotName(text)) && text === robotLogin(org, robotName(text)) ? [text] : [];
}

/** All login names of an organization are between these two: `/` is what follows a dot. */
export function robotLoginBounds(org: string): { after: string; before: string } {
  return { after: `robot-${org}.`, before: `robot-${org}/` };
}

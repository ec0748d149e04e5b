import { describe, expect, it } from '@jest/globals';
import { commandsIn, nameOf, unproven } from './commands.js';
import { documents } from './markdown.js';

it('every command of the documentation is run by a test, or says what it needs', () => {
  expect(documents().flatMap((document) => unproven(document))).toEqual([]);
});

describe('what is looked at', () => {
  it('is every simple command, without what the shell does itself', () => {
    const text = [
      'export A=1',
      'echo "$PASSWORD" | docker login $REGISTRY -u alice   # once',
      '# nothing',
      'KEY=value helm push --plain-http \\',
      '  a.tgz oci://x && crane ls x',
    ].join('\n');
    expect(commandsIn(text)).toEqual([
      'docker login $REGISTRY -u alice',
      'helm push --plain-http a.tgz oci://x',
      'crane ls x',
    ]);
  });

  it('is known by its program and its subcommands', () => {
    expect(nameOf('helm registry login --plain-http x')).toEqual(['helm', 'registry', 'login']);
    expect(nameOf('docker push localhost:8080/a')).toEqual(['docker', 'push']);
    expect(nameOf('bash scripts/deploy.sh --dry-run')).toEqual(['deploy.sh']);
  });
});

describe('what is found', () => {
  const check = (comment: string, command: string) =>
    unproven('docs/x.md', `text\n\n${comment}\n\`\`\`sh\n${command}\n\`\`\`\n`);

  it.each([
    ['<!-- run by test/clients/helm.spec.ts -->', 'helm registry login $REGISTRY'],
    ['<!-- run by test/clients/helm.spec.ts: helm push -->\n<!-- needs a cluster -->', 'helm push ./x\nhelm upgrade x'],
    ['<!-- run by .ci/run -->', 'npm run lint'],
    ['<!-- needs a cluster: helm upgrade -->', 'helm upgrade --install aerugo x'],
    ['', 'export A=1'],
  ])('nothing with %j before %j', (comment, command) => {
    expect(check(comment, command)).toEqual([]);
  });

  it.each([
    ['', 'helm push x', 'no comment before the block says which test runs "helm push x"'],
    ['<!-- something else -->', 'helm push x', 'no comment'],
    ['<!-- needs a cluster: helm upgrade -->', 'helm push x', 'no comment'],
    ['<!-- run by test/clients/helm.spec.ts -->', 'helm rollback x', 'does not run "helm rollback x"'],
    ['<!-- run by test/none.spec.ts -->', 'helm push x', 'there is no test/none.spec.ts'],
  ])('%j before %j', (comment, command, problem) => {
    expect(check(comment, command)).toEqual([expect.stringContaining(problem)]);
  });

  it('a block of shell under another name', () => {
    expect(unproven('docs/x.md', '```bash\nhelm push x\n```\n')).toEqual([
      expect.stringContaining('the block is "sh"'),
    ]);
  });
});

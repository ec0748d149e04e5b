import { describe, expect, it } from '@jest/globals';
import { parseEnv } from 'node:util';
import { parseEnvFile } from './env-file.js';

/** Without a # outside of quotes Node.js and this are to agree. */
const PLAIN = [
  'A=b',
  ' A = b c ',
  'export A=b',
  'A=',
  'A=  ',
  'A=a=b',
  'A="b c"',
  "A='b c'",
  'A=`b "c" \'d\'`',
  'A="a\\nb"',
  "A='a\\nb'",
  'A="a\\tb"',
  'A=a\\nb',
  'A="first\nsecond"\nB=c',
  "A='it''s'",
  'A="b" c',
  'A="unclosed\nB=c',
  "A=it's\nB=c",
  'A=b\r\nB="c"\r\n',
  '# comment\nA=b\n\n  # another\nB=c',
  'no assignment\nA=b',
  'A=b\nA=c',
  'A=$B ${B}',
  'DATABASE_URL=postgresql://u:p@h:5432/d?sslmode=require',
  'A="b#c"',
  "A='b # c'",
  'A=`b#c`',
  'A="b#c" # comment',
  "A='b'# comment",
  'A="b\n#c\nd"',
  'A=b # comment',
  'A=b # a "comment" # twice',
  'A= # comment',
  'A=b\t# comment',
];

const HASHES = [
  // what stands in the file, what a shell and Docker Compose make of it
  ['A=ab#cd', 'ab#cd'],
  ['A=ab#cd # comment', 'ab#cd'],
  ['A=ab#cd ef#gh', 'ab#cd ef#gh'],
  ['A=#cd', '#cd'],
  ['A=##', '##'],
  ['export A=ab#cd', 'ab#cd'],
  ['A=ab#', 'ab#'],
  ['A=postgresql://u:p@h/d#x', 'postgresql://u:p@h/d#x'],
] as const;

describe('a file of variables', () => {
  it.each(PLAIN)('%j is read as Node.js reads it', (text) => {
    expect(parseEnvFile(text)).toEqual({ ...parseEnv(text) });
  });

  it.each(HASHES)('%s is not cut at the #', (text, value) => {
    expect(parseEnvFile(text)).toEqual({ A: value });
  });

  it('may begin with a mark of its encoding', () => {
    expect(parseEnvFile('\ufeffA=b')).toEqual({ A: 'b' });
  });
});

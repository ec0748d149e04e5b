import type { Setting } from './setting.js';
import { SECTIONS, SETTING_NAMES, SETTINGS, type SettingName } from './settings.js';

const WIDTH = 110;

/** `.env.example`: every variable with its default, or with an example where there is none. */
export function envExample(): string {
  const intro = [
    'Every setting of Aerugo, with its default, or with an example if it is off by default.',
    'Copy this file to .env, which npm start reads, and remove the # of settings that you change. All are optional.',
    'NAME_FILE names a file with the secret, such as JWT_SECRET_FILE=/run/secrets/jwt-secret.',
  ];
  const sections = SECTIONS.map((section) =>
    [`# --- ${section} ---`, ...inSection(section).map(envEntry)].join('\n\n'),
  );
  return `${intro.map(comment).join('\n')}\n\n${sections.join('\n\n')}\n`;
}

/** `config/config.example.toml`. */
export function tomlExample(): string {
  const intro = [
    'Every setting of Aerugo, with its default, or with an example if it is off by default.',
    'Copy this file to config.toml, or name another with AERUGO_CONFIG. Environment variables take precedence.',
    'Prefer environment variables for secrets, or their own files: jwt_secret_file = "/run/secrets/jwt".',
  ];
  const sections = SECTIONS.map((section) => [`[${section}]`, ...inSection(section).map(tomlEntry)].join('\n\n'));
  return `${intro.map(comment).join('\n')}\n\n${sections.join('\n\n')}\n`;
}

/** The table of `docs/configuration.md`. */
export function markdownTable(): string {
  const rows = SETTING_NAMES.map((name) => {
    const setting: Setting<unknown> = SETTINGS[name];
    const fallback = setting.default === null ? '–' : `\`${setting.default}\``;
    return `| \`${name}\` | \`[${setting.section}] ${setting.key}\` | ${fallback} | ${setting.description} |`;
  });
  return ['| Variable | In the file | Default | |', '|---|---|---|---|', ...rows].join('\n');
}

function inSection(section: string): SettingName[] {
  return SETTING_NAMES.filter((name) => SETTINGS[name].section === section);
}

function envEntry(name: SettingName): string {
  const { description, example } = SETTINGS[name];
  return `${comment(description)}\n# ${name}=${example}`;
}

function tomlEntry(name: SettingName): string {
  const { description, example, key, parse } = SETTINGS[name];
  return `${comment(`${description} (${name})`)}\n# ${key} = ${tomlValue(example, parse(example))}`;
}

function tomlValue(example: string, parsed: unknown): string {
  if (Array.isArray(parsed)) return `[${parsed.map((item) => JSON.stringify(item)).join(', ')}]`;
  if (typeof parsed === 'boolean' || String(parsed) === example) {
    return typeof parsed === 'string' ? JSON.stringify(example) : example;
  }
  return JSON.stringify(example);
}

/** Wrapped between words. */
function comment(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line.length + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.map((line) => `# ${line}`).join('\n');
}

import type { Descriptor, Platform } from './descriptor.js';

/** An index may name thousands of children; lists show its platforms. */
const MAX_PLATFORMS = 100;
/** Characters of all of them: a list shows a thousand manifests. */
const MAX_CHARACTERS = 4_000;
/** What BuildKit writes for children that are no images, such as attestations. */
const NO_PLATFORM = 'unknown';

/** `os/architecture[/variant]`; `null` unless both are known. */
export function platformText(platform: Platform | null): string | null {
  if (!platform?.os || !platform.architecture) return null;
  const { os, architecture, variant } = platform;
  if (os === NO_PLATFORM && architecture === NO_PLATFORM) return null;
  return variant ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`;
}

/** The platforms that these descriptors name, each once, in their order. */
export function platformsOf(descriptors: readonly Descriptor[]): string[] {
  const texts = new Set<string>();
  let characters = 0;
  for (const { platform } of descriptors) {
    const text = platformText(platform);
    if (text === null || texts.has(text)) continue;
    characters += text.length;
    if (texts.size === MAX_PLATFORMS || characters > MAX_CHARACTERS) break;
    texts.add(text);
  }
  return [...texts];
}

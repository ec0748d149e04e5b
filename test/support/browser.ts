import { type Browser, chromium, type Page } from 'playwright-core';
import { needProgram, onFileEnd } from './processes.js';

/** A page in Debian's Chromium, without a window; closed when the spec file ends. A file that uses it needs chromium. */
export async function openPage(url: string): Promise<Page> {
  const browser: Browser = await chromium.launch({
    executablePath: needProgram('chromium'),
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
  onFileEnd(() => browser.close());
  const page = await browser.newPage();
  await page.goto(url, { waitUntil: 'networkidle' });
  return page;
}

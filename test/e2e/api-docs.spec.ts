// once: no store takes part in it
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { openPage } from '../support/browser.js';
import { type Registry, startRegistry } from '../support/registry.js';

describe('the page of the API', () => {
  let registry: Registry;
  let page: Page;
  const hosts = new Set<string>();
  const complaints: string[] = [];

  beforeAll(async () => {
    registry = await startRegistry({ database: 'embedded' });
    page = await openPage(`${registry.url}/livez`);
    page.on('request', (request) => hosts.add(new URL(request.url()).protocol + new URL(request.url()).host));
    page.on('console', (message) => {
      complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${registry.url}/api/docs`, { waitUntil: 'networkidle' });
  }, 120_000);

  /** Opens an operation, sends it as it stands, and gives the status that the page shows. */
  async function tryOut(operation: string): Promise<string> {
    const block = page.locator(`[id$="${operation}"]`);
    await block.locator('.opblock-summary-control').click();
    await block.getByRole('button', { name: 'Try it out' }).click();
    await block.getByRole('button', { name: 'Execute' }).click();
    const status = block.locator('.live-responses-table tbody td.response-col_status').first();
    return (await status.innerText()).trim();
  }

  it('is where the address of the registry leads', async () => {
    const answer = await fetch(registry.url, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/api/docs']);
  });

  it('lists the routes of both interfaces', async () => {
    expect(await page.title()).toBe('Aerugo API');
    const paths = await page.locator('.opblock-summary-path').allInnerTexts();
    const plain = paths.map((path) => path.replaceAll('\u200b', ''));
    expect(plain).toEqual(expect.arrayContaining(['/api/v1/users', '/v2/{name}/manifests/{reference}']));
  }, 60_000);

  it('sends requests without and with the credentials that somebody typed in', async () => {
    expect(await tryOut('BaseController_check')).toBe('401');
    await page.getByRole('button', { name: 'Authorize' }).first().click();
    const dialog = page.locator('.modal-ux');
    await dialog.locator('[aria-label="auth-basic-username"]').fill(registry.username);
    await dialog.locator('[aria-label="auth-basic-password"]').fill(registry.password);
    await dialog.locator('form', { hasText: 'Basic' }).getByRole('button', { name: 'Apply credentials' }).click();
    await dialog.locator('.btn-done').first().click();
    expect(await tryOut('CatalogController_list')).toBe('200');
  }, 60_000);

  it('loads nothing from elsewhere', () => {
    const own = `http:${new URL(registry.url).host}`;
    expect([...hosts].filter((host) => host !== own && !host.startsWith('data:'))).toEqual([]);
  });

  it('needs nothing that its Content-Security-Policy forbids', () => {
    // Not what the browser says of an answer with 401, or of a field without autocomplete.
    expect(complaints.filter((text) => /security policy|error(?!.*status of 401)/i.test(text))).toEqual([]);
  });
});

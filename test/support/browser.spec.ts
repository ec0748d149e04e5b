import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { openPage } from './browser.js';
import { onFileEnd } from './processes.js';

describe('the browser', () => {
  it('shows a page and runs its scripts', async () => {
    const server = http.createServer((_request, response) => {
      response.setHeader('content-type', 'text/html').end('<body><script>document.body.append(6 * 7)</script></body>');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onFileEnd(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    const page = await openPage(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    expect(await page.textContent('body')).toContain('42');
  }, 60_000);
});

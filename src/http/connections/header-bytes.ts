/**
 * Bytes of a request's first line and headers together; more is 431. A client that copies hundreds of repositories asks
 * for a token for all of them in one URL: 400 names of 70 characters make 42 KB. Proxies have limits of their own
 * (docs/DEPLOYMENT.md).
 */
export const HEADER_BYTES = 64 * 1024;

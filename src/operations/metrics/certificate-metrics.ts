import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Registry } from 'prom-client';
import { ownCertificate } from '../../server/tls/certificate.js';
import type { RegistryAdapter } from '../../http/connections/registry-adapter.js';
import { readGauge } from './metric-kinds.js';

/** The life of the certificate that clients are shown; nothing where a proxy has it. */
@Injectable()
export class CertificateMetrics {
  constructor(private readonly host: HttpAdapterHost<RegistryAdapter>) {}

  register(registry: Registry): void {
    const show = (what: string, help: string, date: 'validFromDate' | 'validToDate'): void => {
      readGauge(registry, `aerugo_tls_certificate_${what}_seconds`, help, () => this.secondsOf(date), 'min');
    };
    show('start', 'Start of validity of the certificate in use, in seconds since 1970.', 'validFromDate');
    show('expiry', 'Until when it is.', 'validToDate');
  }

  private secondsOf(date: 'validFromDate' | 'validToDate'): number | null {
    const { shownCertificate } = this.host.httpAdapter;
    return shownCertificate === null ? null : ownCertificate(shownCertificate.cert)[date].getTime() / 1000;
  }
}

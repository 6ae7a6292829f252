// Every case with the package strong-soap.
'use strict';

const { soap } = require('strong-soap');
const { NAME, catalog, cert, list, options, plainCases, run, text, utc } = require('./common');

const { base, tls, version, password, digestSecret } = options;
process.env.NODE_NO_WARNINGS = '1';

function connect(address, service, more = {}) {
  const url = `${address}/soap/${service.toLowerCase()}`;
  return new Promise((resolve, reject) => {
    soap.createClient(`${url}?wsdl&flat`, { endpoint: url, forceSoap12Headers: version === '1.2', ...more }, (error, client) => {
      if (error) {
        reject(error);
        return;
      }
      const port = client[`${service}Service`][`${service}Soap${version.replace('.', '')}Port`];
      client.call = (operation, request, options) =>
        new Promise((resolve, reject) =>
          port[operation](request, (error, result) => (error ? reject(error) : resolve(result || {})), options));
      resolve(client);
    });
  });
}

(async () => {
  const client = await connect(base, 'Catalog');
  const { upsert, get } = catalog(client);

  await run('call', async () => {
    const [result] = await upsert({
      sku: 'Ä-1',
      name: [{ $attributes: { language: 'de' }, $value: NAME }],
      manufacturer: 'Öl AG',
      unit: 'piece',
      weight: '0.123456789012345678',
      listPrice: { $attributes: { currency: 'EUR' }, $value: '99999999999999.9999' },
      activeFrom: '2026-11-24T10:00:00+01:00',
      // It writes all times in UTC, and takes one without a zone for one of its own.
      activeUntil: '2026-12-24T10:00:00Z',
    });
    return `${result.outcome} ${result.key}`;
  });
  let found = {};
  await run('text', async () => {
    found = await get('Ä-1');
    return text(list(found.name)[0]);
  });
  await run('decimal', () => `${found.weight} ${text(found.listPrice)}`);
  await run('times', () => `${utc(found.activeFrom)} ${utc(found.activeUntil)}`);
  await run('nil', async () => {
    await upsert({ sku: 'Ä-1', manufacturer: null });
    const found = await get('Ä-1');
    return `${found.manufacturer || 'absent'} ${found.unit}`;
  });
  await plainCases(connect, client);
  await run('mtom', () => 'n/a: strong-soap has no MTOM');
  await run('gzip', async () => {
    client.addHttpHeader('Accept-Encoding', 'gzip');
    await client.call('ListArticles', { limit: 500 }, { gzip: true });
    return client.lastResponseHeaders['content-encoding'] || 'none';
  });
  const tlsOptions = { wsdl_options: { ca: cert('ca.pem') } };
  await run('username-token', async () => {
    let articles;
    for (const [secret, passwordType] of [[password, 'PasswordText'], [digestSecret, 'PasswordDigest']]) {
      const security = new soap.WSSecurity('erp', secret, { passwordType, hasNonce: true, mustUnderstand: true });
      security.addOptions = options => {
        options.ca = cert('ca.pem');
      };
      const client = await connect(tls, 'Catalog', tlsOptions);
      client.setSecurity(security);
      articles = (await catalog(client).articles({})).length;
    }
    return articles;
  });
  await run('client-certificate', async () => {
    const client = await connect(tls, 'Catalog', tlsOptions);
    client.setSecurity(new soap.ClientSSLSecurity(cert('client.key'), cert('client.pem'), cert('ca.pem')));
    return (await catalog(client).articles({})).length;
  });
})();

// Every case with the package soap.
'use strict';

const soap = require('soap');
const { FILE, NAME, catalog, cert, finished, list, options, plainCases, run, text, utc } = require('./common');

const { base, tls, version, password, digestSecret } = options;

async function connect(address, service, more = {}) {
  const url = `${address}/soap/${service.toLowerCase()}`;
  const client = await soap.createClientAsync(`${url}?wsdl`, {
    endpoint: url,
    forceSoap12Headers: version === '1.2',
    // Values as text: a number of JavaScript has 17 digits.
    customDeserializer: { decimal: text => text, string: text => text },
    ...more,
  });
  const port = client[`${service}Service`][`${service}Soap${version.replace('.', '')}Port`];
  client.on('response', (_, response) => {
    client.answered = response;
  });
  // An answer with nothing in it is null.
  client.call = (operation, request, more) =>
    new Promise((resolve, reject) =>
      port[operation](request, (error, result) => (error ? reject(error) : resolve(result || {})), more));
  return client;
}

(async () => {
  const client = await connect(base, 'Catalog');
  const { upsert, get } = catalog(client);

  await run('call', async () => {
    const [result] = await upsert({
      sku: 'Ä-1',
      name: { attributes: { language: 'de' }, $value: NAME },
      manufacturer: 'Öl AG',
      unit: 'piece',
      weight: '0.123456789012345678',
      listPrice: { attributes: { currency: 'EUR' }, $value: '99999999999999.9999' },
      activeFrom: '2026-11-24T10:00:00+01:00',
      activeUntil: '2026-12-24T10:00:00',
    });
    return `${result.outcome} ${result.key}`;
  });
  const found = await get('Ä-1');
  await run('text', () => text(list(found.name)[0]));
  await run('decimal', () => `${found.weight} ${text(found.listPrice)}`);
  await run('times', () => `${utc(found.activeFrom)} ${utc(found.activeUntil)}`);
  await run('nil', async () => {
    await upsert({ sku: 'Ä-1', manufacturer: { attributes: { 'xsi:nil': 'true' } } });
    const found = await get('Ä-1');
    return `${found.manufacturer || 'absent'} ${found.unit}`;
  });
  await plainCases(connect, client);
  await run('mtom', async () => {
    // It writes the reference itself, and the attachment beside it.
    const exchange = await connect(base, 'Exchange');
    const request = {
      kind: 'articles',
      sourceName: 'b.csv',
      content: { $xml: '<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:file"/>' },
    };
    const attachments = [{ mimetype: 'application/octet-stream', contentId: 'file', name: 'file', body: FILE }];
    return finished(exchange, await exchange.call('StartImport', request, { attachments, forceMTOM: true }));
  });
  await run('gzip', async () => {
    // Of answers only: its compressed requests have the length of what they were before.
    client.addHttpHeader('Accept-Encoding', 'gzip');
    await client.call('ListArticles', { limit: 500 });
    const raw = client.answered.request.res.rawHeaders;
    const at = raw.findIndex(name => name.toLowerCase() === 'content-encoding');
    return at < 0 ? 'none' : raw[at + 1];
  });
  const secured = (security, wsdl) => connect(tls, 'Catalog', { wsdl_options: wsdl }).then(client => {
    client.setSecurity(security);
    return client;
  });
  const https = require('https');
  await run('username-token', async () => {
    const agent = new https.Agent({ ca: cert('ca.pem') });
    let articles;
    for (const [secret, passwordType] of [[password, 'PasswordText'], [digestSecret, 'PasswordDigest']]) {
      const security = new soap.WSSecurity('erp', secret, { passwordType, hasNonce: true, mustUnderstand: true });
      security.addOptions = options => {
        options.httpsAgent = agent;
      };
      const client = await secured(security, { httpsAgent: agent });
      articles = (await catalog(client).articles({})).length;
    }
    return articles;
  });
  await run('client-certificate', async () => {
    const agent = new https.Agent({ ca: cert('ca.pem') });
    const security = new soap.ClientSSLSecurity(cert('client.key'), cert('client.pem'), cert('ca.pem'));
    const client = await secured(security, { httpsAgent: agent });
    return (await catalog(client).articles({})).length;
  });
})();

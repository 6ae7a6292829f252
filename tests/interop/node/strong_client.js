// Every case with the package strong-soap.
'use strict';

const { soap } = require('strong-soap');
const { FILE, NAME, cert, options, run, told, utc } = require('./common');

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

const list = value => (value === undefined || value === null ? [] : [].concat(value));
const text = value => (value !== null && typeof value === 'object' && '$value' in value ? value.$value : value);

async function failing(work) {
  try {
    await work();
  } catch (error) {
    if (!error.root) {
      throw error;
    }
    const found = error.root.Envelope.Body.Fault;
    return found.Code
      ? { code: text(found.Code.Value), message: text(found.Reason.Text), detail: found.Detail }
      : { code: text(found.faultcode), message: text(found.faultstring), detail: found.detail };
  }
  throw new Error('there was no fault');
}

(async () => {
  const client = await connect(base, 'Catalog');
  const upsert = async (...articles) => list((await client.call('UpsertArticles', { article: articles })).result);
  const get = async sku => (await client.call('GetArticle', { sku })).article;

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
  await run('empty', async () => list((await client.call('ListArticles', { text: 'nowhere' })).article).length);
  await run('many', async () => {
    const results = await upsert(...Array.from({ length: 500 }, (_, n) => ({ sku: `M-${String(n).padStart(3, '0')}` })));
    const articles = list((await client.call('ListArticles', { text: 'M-', limit: 500 })).article);
    return `${results.length} ${articles.length}`;
  });
  await run('fault', async () => {
    const { detail } = await failing(() => get('Ä-9'));
    const { code, kind, key } = detail.notFoundFault;
    return `${code} ${kind} ${key}`;
  });
  await run('wrong-type', async () => {
    const { code, message } = await failing(() => upsert({ sku: 'X', weight: 'heavy' }));
    return told(code, message, 'not valid');
  });
  await run('unknown-operation', async () => {
    const elsewhere = await connect(base, 'Catalog', { endpoint: `${base}/soap/exchange` });
    const { code, message } = await failing(() => elsewhere.call('ListCategories', {}));
    return told(code, message, 'has no operation');
  });
  await run('binary', async () => {
    const exchange = await connect(base, 'Exchange');
    const request = { kind: 'articles', sourceName: 'a.csv', content: FILE.toString('base64') };
    let { run } = await exchange.call('StartImport', request);
    while (['queued', 'running'].includes(run.state)) {
      ({ run } = await exchange.call('GetRun', { id: run.id }));
    }
    return run.counters.read;
  });
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
      articles = list((await client.call('ListArticles', {})).article).length;
    }
    return articles;
  });
  await run('client-certificate', async () => {
    const client = await connect(tls, 'Catalog', tlsOptions);
    client.setSecurity(new soap.ClientSSLSecurity(cert('client.key'), cert('client.pem'), cert('ca.pem')));
    return list((await client.call('ListArticles', {})).article).length;
  });
})();

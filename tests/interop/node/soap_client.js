// Every case with the package soap.
'use strict';

const soap = require('soap');
const { FILE, NAME, cert, options, run, told, utc } = require('./common');

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

const list = value => (value === undefined || value === null ? [] : [].concat(value));
const text = value => (value !== null && typeof value === 'object' && '$value' in value ? value.$value : value);

function fault(error) {
  const found = error.root.Envelope.Body.Fault;
  return version === '1.2'
    ? { code: text(found.Code.Value), message: text(found.Reason.Text), detail: found.Detail }
    : { code: text(found.faultcode), message: text(found.faultstring), detail: found.detail };
}

async function failing(work) {
  try {
    await work();
  } catch (error) {
    return fault(error);
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
  await run('empty', async () => {
    const answer = await client.call('ListArticles', { text: 'nowhere' });
    return list(answer.article).length;
  });
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
  const finished = async (exchange, { run }) => {
    while (['queued', 'running'].includes(run.state)) {
      ({ run } = await exchange.call('GetRun', { id: run.id }));
    }
    return run.counters.read;
  };
  await run('binary', async () => {
    const exchange = await connect(base, 'Exchange');
    const request = { kind: 'articles', sourceName: 'a.csv', content: FILE.toString('base64') };
    return finished(exchange, await exchange.call('StartImport', request));
  });
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
      articles = list((await client.call('ListArticles', {})).article).length;
    }
    return articles;
  });
  await run('client-certificate', async () => {
    const agent = new https.Agent({ ca: cert('ca.pem') });
    const security = new soap.ClientSSLSecurity(cert('client.key'), cert('client.pem'), cert('ca.pem'));
    const client = await secured(security, { httpsAgent: agent });
    return list((await client.call('ListArticles', {})).article).length;
  });
})();

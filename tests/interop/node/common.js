// What the clients in JavaScript have in common: arguments, the cases that they write alike, the file of one megabyte.
'use strict';

const fs = require('fs');
const path = require('path');

const [base, tls, certs, version, password, digestSecret] = process.argv.slice(2);
exports.options = { base, tls, version, password, digestSecret };
exports.NAME = 'Grüße & <Öl> 🎉';
exports.FILE = Buffer.from('sku\n' + Array.from({ length: 65536 }, (_, n) => `BINARY-${String(n).padStart(8, '0')}\n`).join(''));
exports.cert = name => fs.readFileSync(path.join(certs, name));

// A time as all clients print it.
exports.utc = time => new Date(time).toISOString().replace('.000', '');

const list = value => (value === undefined || value === null ? [] : [].concat(value));
exports.list = list;
exports.text = value => (value !== null && typeof value === 'object' && '$value' in value ? value.$value : value);

// Runs a function as a case, and prints what it gives.
const run = async (name, work) => {
  let result;
  try {
    result = await work();
  } catch (error) {
    result = `${error.name}: ${error.message}`.split('\n').join(' ').slice(0, 300);
  }
  console.log(`${name}\t${result}`);
};

exports.run = run;

// The fault that a function is answered with.
async function failing(work) {
  try {
    await work();
  } catch (error) {
    if (!error.root) {
      throw error;
    }
    const found = error.root.Envelope.Body.Fault;
    return found.Code
      ? { code: exports.text(found.Code.Value), message: exports.text(found.Reason.Text), detail: found.Detail }
      : { code: exports.text(found.faultcode), message: exports.text(found.faultstring), detail: found.detail };
  }
  throw new Error('there was no fault');
}

function told(code, message, wanted) {
  const local = String(code).split(':').pop();
  const named = version === '1.2' && local === 'Sender' ? 'Client' : local;
  return `${named} ${message.includes(wanted) ? 'told' : message}`;
}

// What the operations of the catalogue give, without the elements around it.
exports.catalog = client => ({
  upsert: async (...articles) => list((await client.call('UpsertArticles', { article: articles })).result),
  get: async sku => (await client.call('GetArticle', { sku })).article,
  articles: async request => list((await client.call('ListArticles', request)).article),
});

// How many records an import has read, when it is done.
exports.finished = async (exchange, { run }) => {
  while (['queued', 'running'].includes(run.state)) {
    ({ run } = await exchange.call('GetRun', { id: run.id }));
  }
  return run.counters.read;
};

// The cases from `empty` to `binary`.
exports.plainCases = async (connect, client) => {
  const { upsert, get, articles } = exports.catalog(client);
  await run('empty', async () => (await articles({ text: 'nowhere' })).length);
  await run('many', async () => {
    const results = await upsert(...Array.from({ length: 500 }, (_, n) => ({ sku: `M-${String(n).padStart(3, '0')}` })));
    return `${results.length} ${(await articles({ text: 'M-', limit: 500 })).length}`;
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
    const request = { kind: 'articles', sourceName: 'a.csv', content: exports.FILE.toString('base64') };
    return exports.finished(exchange, await exchange.call('StartImport', request));
  });
};

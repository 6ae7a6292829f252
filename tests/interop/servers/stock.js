// The stock as a server by the package soap: node stock.js PORT WSDL
'use strict';

const fs = require('fs');
const http = require('http');
const soap = require('soap');

const SHELF = { 'AB-123': '7.25', 'AB-124': '0', 'AB-125': '0.123456789012345678' };
const [port, wsdl] = process.argv.slice(2);

function getStock({ sku }) {
  const stock = [].concat(sku).map(sku => {
    if (!(sku in SHELF)) {
      throw {
        Fault: {
          faultcode: 'soap:Client',
          faultstring: `There is no ${sku}`,
          detail: { 'tns:UnknownArticle': { attributes: { 'xmlns:tns': 'urn:example:stock' }, 'tns:sku': sku } },
        },
      };
    }
    return { sku, quantity: SHELF[sku] };
  });
  return { stock };
}

const server = http.createServer((_, response) => response.end());
server.listen(Number(port), '127.0.0.1', () => {
  soap.listen(server, '/', { StockService: { StockPort: { GetStock: getStock } } }, fs.readFileSync(wsdl, 'utf8'));
});

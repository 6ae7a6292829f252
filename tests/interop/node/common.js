// What the clients in JavaScript have in common: arguments, cases, the file of one megabyte.
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

// Runs a function as a case, and prints what it gives.
exports.run = async (name, work) => {
  let result;
  try {
    result = await work();
  } catch (error) {
    result = `${error.name}: ${error.message}`.split('\n').join(' ').slice(0, 300);
  }
  console.log(`${name}\t${result}`);
};

exports.told = (code, message, wanted) => {
  const local = String(code).split(':').pop();
  const named = version === '1.2' && local === 'Sender' ? 'Client' : local;
  return `${named} ${message.includes(wanted) ? 'told' : message}`;
};

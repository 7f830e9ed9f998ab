// Opens and seals with node-forge, for tests/peers.rs.
//
// judge.js MODULE open KEY CERTIFICATE FILE...    writes FILE.opened, or FILE.error with what went wrong
// judge.js MODULE seal CERTIFICATE MESSAGE OUT
// judge.js MODULE version

'use strict';
const fs = require('fs');
const [module_, verb, ...files] = process.argv.slice(2);
const forge = require(module_);

const text = (name) => fs.readFileSync(name, 'utf8');
const octets = (name) => forge.util.createBuffer(fs.readFileSync(name).toString('binary'));
const write = (name, binary) => fs.writeFileSync(name, Buffer.from(binary, 'binary'));

function content(key, certificate, name) {
  const message = forge.pkcs7.messageFromAsn1(forge.asn1.fromDer(octets(name)));
  const recipient = message.findRecipient(forge.pki.certificateFromPem(text(certificate)));
  if (recipient === null) {
    throw new Error('not a recipient');
  }
  message.decrypt(recipient, forge.pki.privateKeyFromPem(text(key)));
  return message.content.getBytes();
}

function open(key, certificate, ...names) {
  for (const name of names) {
    try {
      write(name + '.opened', content(key, certificate, name));
    } catch (error) {
      fs.writeFileSync(name + '.error', String(error));
    }
  }
}

function seal(certificate, message, out) {
  const sealed = forge.pkcs7.createEnvelopedData();
  sealed.addRecipient(forge.pki.certificateFromPem(text(certificate)));
  sealed.content = octets(message);
  sealed.encrypt();
  write(out, forge.asn1.toDer(sealed.toAsn1()).getBytes());
}

const version = () => console.log(require(module_ + '/package.json').version);

({ open, seal, version })[verb](...files);

"""Calls the catalogue with signed messages, and verifies the answers: zeep_signed.py BASE-URL KEY CERTIFICATE SERVER-CERTIFICATE"""
import sys
from datetime import datetime, timedelta, timezone

import requests
import xmlsec
import zeep
from lxml import etree
from zeep import ns
from zeep.transports import Transport
from zeep.wsse.signature import BinarySignature, _make_verify_key, _verify_envelope_with_key
from zeep.wsse.utils import WSU, get_security_header

base, key, certificate, server = sys.argv[1:5]


class Stamped(BinarySignature):
    """Signs body and time; of the answer, verifies that it was signed by the server."""

    def apply(self, envelope, headers):
        now = datetime.now(timezone.utc)
        stamp = WSU.Timestamp()
        stamp.append(WSU.Created(now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")))
        stamp.append(WSU.Expires((now + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")))
        get_security_header(envelope).append(stamp)
        return super().apply(envelope, headers)

    def verify(self, envelope):
        with open(server, "rb") as file:
            _verify_envelope_with_key(envelope, _make_verify_key(file.read()))
        self.verified = True
        return envelope


session = requests.Session()
session.trust_env = False
signature = Stamped(
    key, certificate, signature_method=xmlsec.Transform.RSA_SHA256, digest_method=xmlsec.Transform.SHA256
)
client = zeep.Client(f"{base}/soap/catalog?wsdl", transport=Transport(session=session), wsse=signature)
service = client.bind("CatalogService", "CatalogSoap11Port")
service.ListCategories()
print("done")
print("verified" if signature.verified else "not verified")

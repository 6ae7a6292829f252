"""Calls the catalogue with WS-Security: zeep_security.py BASE-URL CA NAME SECRET text|digest [replay]"""
import sys
from datetime import datetime, timedelta, timezone

import requests
import zeep
from zeep.exceptions import Fault
from zeep.transports import Transport
from zeep.wsse.username import UsernameToken
from zeep.wsse.utils import WSU

base, authority, name, secret, kind = sys.argv[1:6]
session = requests.Session()
session.trust_env = False
session.verify = authority or True
now = datetime.now(timezone.utc)
stamp = WSU.Timestamp()
stamp.append(WSU.Created(now.strftime("%Y-%m-%dT%H:%M:%SZ")))
stamp.append(WSU.Expires((now + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")))
fixed = {"nonce": "once", "created": now} if "replay" in sys.argv else {}
token = UsernameToken(name, secret, use_digest=kind == "digest", timestamp_token=stamp, **fixed)
client = zeep.Client(f"{base}/soap/catalog?wsdl", transport=Transport(session=session), wsse=token)
service = client.bind("CatalogService", "CatalogSoap11Port")
for _ in range(2):
    try:
        service.ListCategories()
        print("done")
    except Fault as fault:
        print(fault.code.split(":")[-1])

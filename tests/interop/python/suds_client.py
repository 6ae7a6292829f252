"""Every case with suds-community."""
import base64
import hashlib
import os
import ssl
import urllib.request
from datetime import datetime, timezone

from suds import WebFault, null
from suds.client import Client
from suds.sax.date import DateTime
from suds.transport.http import HttpTransport
from suds.wsse import Security, UsernameToken

from common import FILE, NAME, base, case, cert, digest_secret, password, tls, told, utc, version

if version == "1.2":
    print("soap12\tn/a: suds speaks SOAP 1.1 only")
    raise SystemExit


class Tls(HttpTransport):
    """Trusts our authority, and shows the client's certificate."""

    def __init__(self, own=False):
        super().__init__()
        self.context = ssl.create_default_context(cafile=cert("ca.pem"))
        if own:
            self.context.load_cert_chain(cert("client.pem"), cert("client.key"))

    def u2handlers(self):
        return [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.context)]


class Plain(HttpTransport):
    def u2handlers(self):
        return [urllib.request.ProxyHandler({})]


def connect(address, service, transport=None, **options):
    url = f"{address}/soap/{service.lower()}"
    options = {"location": url, **options}
    return Client(
        f"{url}?wsdl", port=f"{service}Soap11Port", cache=None, transport=transport or Plain(), **options
    )


client = connect(base, "Catalog")
catalog = client.service


def article(**members):
    made = client.factory.create("{urn:soapstone:catalog/v1}Article")
    for name in [name for name, _ in made]:
        delattr(made, name)
    for name, value in members.items():
        setattr(made, name, value)
    return made


def valued(kind, value, **attributes):
    made = client.factory.create(kind)
    made.value = value
    for name in [name for name, _ in made if name.startswith("_")]:
        delattr(made, name)
    for name, attribute in attributes.items():
        setattr(made, f"_{name}", attribute)
    return made


def upsert(*articles):
    return catalog.UpsertArticles(article=list(articles))


@case("call")
def _():
    result = upsert(
        article(
            sku="Ä-1",
            name=[valued("{urn:soapstone:common/v1}Text", NAME, language="de")],
            manufacturer="Öl AG",
            unit="piece",
            weight="0.123456789012345678",
            listPrice=valued("{urn:soapstone:common/v1}Price", "99999999999999.9999", currency="EUR"),
            activeFrom=datetime.fromisoformat("2026-11-24T10:00:00+01:00"),
            activeUntil=datetime.fromisoformat("2026-12-24T10:00:00"),
        )
    )[0]
    return f"{result.outcome} {result.key}"


found = catalog.GetArticle(sku="Ä-1")
case("text")(lambda: found.name[0].value)
case("decimal")(lambda: f"{found.weight} {found.listPrice.value}")
case("times")(lambda: f"{utc(found.activeFrom)} {utc(found.activeUntil)}")


@case("nil")
def _():
    upsert(article(sku="Ä-1", manufacturer=null()))
    found = catalog.GetArticle(sku="Ä-1")
    return f"{getattr(found, 'manufacturer', 'absent')} {found.unit}"


@case("empty")
def _():
    answer = catalog.ListArticles(text="nowhere")
    return len(getattr(answer, "article", [])) if answer else 0


@case("many")
def _():
    results = upsert(*(article(sku=f"M-{number:03}") for number in range(500)))
    return f"{len(results)} {len(catalog.ListArticles(text='M-', limit=500).article)}"


@case("fault")
def _():
    try:
        catalog.GetArticle(sku="Ä-9")
    except WebFault as fault:
        detail = fault.fault.detail.notFoundFault
        return f"{detail.code} {detail.kind} {detail.key}"


@case("wrong-type")
def _():
    try:
        upsert(article(sku="X", weight="heavy"))
    except WebFault as fault:
        return told(fault.fault.faultcode, fault.fault.faultstring, "not valid")


@case("unknown-operation")
def _():
    try:
        connect(base, "Catalog", location=f"{base}/soap/exchange").service.ListCategories()
    except WebFault as fault:
        return told(fault.fault.faultcode, fault.fault.faultstring, "has no operation")


@case("binary")
def _():
    exchange = connect(base, "Exchange").service
    run = exchange.StartImport(kind="articles", sourceName="a.csv", content=base64.b64encode(FILE).decode())
    while run.state in ("queued", "running"):
        run = exchange.GetRun(id=run.id)
    return run.counters.read


case("mtom")(lambda: "n/a: suds has no MTOM")
case("gzip")(lambda: "n/a: suds does not ask for it")


@case("username-token")
def _():
    for secret, use_digest in ((password, False), (digest_secret, True)):
        token = UsernameToken("erp", secret)
        if use_digest:
            # It leaves the digest to its user.
            nonce = os.urandom(16)
            token.setnonce(base64.b64encode(nonce).decode())
            token.setcreated(datetime.now(timezone.utc))
            token.setnonceencoding(True)
            made = hashlib.sha1(nonce + (str(DateTime(token.created)) + secret).encode()).digest()
            token.setpassworddigest(base64.b64encode(made).decode())
        security = Security()
        security.tokens.append(token)
        secured = connect(tls, "Catalog", Tls(), wsse=security)
        answer = secured.service.ListArticles()
    return len(getattr(answer, "article", [])) if answer else 0


@case("client-certificate")
def _():
    answer = connect(tls, "Catalog", Tls(own=True)).service.ListArticles()
    return len(getattr(answer, "article", [])) if answer else 0

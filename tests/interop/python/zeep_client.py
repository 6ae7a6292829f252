"""Every case with zeep."""
from datetime import datetime
from decimal import Decimal
from itertools import count

import requests
import zeep
from zeep.exceptions import Fault
from zeep.transports import Transport
from zeep.wsse.username import UsernameToken

from common import FILE, NAME, base, case, cert, digest_secret, password, tls, told, utc, version

encodings = []


def bind(address, service, wsse=None, **tls_options):
    session = requests.Session()
    session.trust_env = False
    for name, value in tls_options.items():
        setattr(session, name, value)
    session.hooks["response"] = lambda response, **_: encodings.append(response.headers.get("content-encoding"))
    client = zeep.Client(f"{address}/soap/{service.lower()}?wsdl", transport=Transport(session=session), wsse=wsse)
    return client, client.bind(f"{service}Service", f"{service}Soap{version.replace('.', '')}Port")


client, catalog = bind(base, "Catalog")
article = client.get_type("{urn:soapstone:catalog/v1}Article")


def upsert(*articles):
    return catalog.UpsertArticles(article=list(articles))


@case("call")
def _():
    result = upsert(
        article(
            sku="Ä-1",
            name=[{"_value_1": NAME, "language": "de"}],
            manufacturer="Öl AG",
            unit="piece",
            weight=Decimal("0.123456789012345678"),
            listPrice={"_value_1": Decimal("99999999999999.9999"), "currency": "EUR"},
            activeFrom=datetime.fromisoformat("2026-11-24T10:00:00+01:00"),
            activeUntil=datetime.fromisoformat("2026-12-24T10:00:00"),
        )
    )[0]
    return f"{result.outcome} {result.key}"


found = catalog.GetArticle(sku="Ä-1")
case("text")(lambda: found.name[0]._value_1)
case("decimal")(lambda: f"{found.weight} {found.listPrice._value_1}")
case("times")(lambda: f"{utc(found.activeFrom)} {utc(found.activeUntil)}")


@case("nil")
def _():
    upsert(article(sku="Ä-1", manufacturer=zeep.xsd.Nil))
    found = catalog.GetArticle(sku="Ä-1")
    return f"{found.manufacturer or 'absent'} {found.unit}"


@case("empty")
def _():
    return len(catalog.ListArticles(text="nowhere").article)


@case("many")
def _():
    results = upsert(*(article(sku=f"M-{number:03}") for number in range(500)))
    return f"{len(results)} {len(catalog.ListArticles(text='M-', limit=500).article)}"


@case("fault")
def _():
    try:
        catalog.GetArticle(sku="Ä-9")
    except Fault as fault:
        detail = client.wsdl.types.deserialize(fault.detail[0])
        return f"{detail.code} {detail.kind} {detail.key}"


@case("wrong-type")
def _():
    try:
        upsert(article(sku="X", listPrice={"_value_1": "1", "currency": "EURO"}))
    except Fault as fault:
        return told(fault.code, fault.message, "not valid")


@case("unknown-operation")
def _():
    elsewhere = client.create_service(
        f"{{urn:soapstone:catalog/v1}}CatalogSoap{version.replace('.', '')}", f"{base}/soap/exchange"
    )
    try:
        elsewhere.ListCategories()
    except Fault as fault:
        return told(fault.code, fault.message, "has no operation")


@case("binary")
def _():
    _, exchange = bind(base, "Exchange")
    run = exchange.StartImport(kind="articles", sourceName="a.csv", content=FILE)
    for _ in count():
        if run.state not in ("queued", "running"):
            return run.counters.read
        run = exchange.GetRun(id=run.id)


case("mtom")(lambda: "n/a: zeep reads MTOM, but does not send it")


@case("gzip")
def _():
    encodings.clear()
    catalog.ListArticles(limit=500)
    return encodings[-1]


@case("username-token")
def _():
    for secret, use_digest in ((password, False), (digest_secret, True)):
        token = UsernameToken("erp", secret, use_digest=use_digest)
        _, secured = bind(tls, "Catalog", wsse=token, verify=cert("ca.pem"))
        articles = len(secured.ListArticles().article)
    return articles


@case("client-certificate")
def _():
    _, secured = bind(tls, "Catalog", verify=cert("ca.pem"), cert=(cert("client.pem"), cert("client.key")))
    return len(secured.ListArticles().article)

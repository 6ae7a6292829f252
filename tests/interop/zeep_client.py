"""Calls the catalogue with zeep: zeep_client.py BASE-URL 1.1|1.2"""
import sys
from decimal import Decimal

import zeep
from zeep.exceptions import Fault

base, version = sys.argv[1:]
client = zeep.Client(f"{base}/soap/catalog?wsdl")
service = client.bind("CatalogService", "CatalogSoap11Port" if version == "1.1" else "CatalogSoap12Port")
article = client.get_type("{urn:soapstone:catalog/v1}Article")


def upsert(*articles):
    for result in service.UpsertArticles(article=list(articles)):
        message = "".join(f": {m.code} {m.field}" for m in result.message)
        print(result.outcome, result.key + message)


upsert(
    article(
        sku="Ä-1",
        name=[{"_value_1": "Grüße & <Öl> 🎉", "language": "de"}],
        manufacturer="Öl AG",
        unit="piece",
        weight=Decimal("123456789012.123456"),
        listPrice={"_value_1": Decimal("99999999999999.9999"), "currency": "EUR"},
    ),
    article(sku="Ä-2"),
)
found = service.GetArticle(sku="Ä-1")
print(f"name {found.name[0].language}: {found.name[0]._value_1}")
print("weight", found.weight)
print("price", found.listPrice._value_1, found.listPrice.currency)
print("manufacturer", found.manufacturer)
print("unit", found.unit)
upsert(article(sku="Ä-1"))
upsert(article(sku="Ä-1", manufacturer=zeep.xsd.Nil))
found = service.GetArticle(sku="Ä-1")
print("manufacturer", found.manufacturer or "absent")
print("unit", found.unit)
upsert(article(sku="Ä-3", category=["no-such"]))
try:
    service.GetArticle(sku="Ä-9")
except Fault as fault:
    detail = client.wsdl.types.deserialize(fault.detail[0])
    print("fault", detail.code, detail.kind, detail.key)

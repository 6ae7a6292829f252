// Calls the catalogue with gSOAP: client BASE-URL 1.1|1.2
#include "CatalogSoap11.nsmap"
#include "soapCatalogSoap11Proxy.h"
#include <iostream>

static CatalogSoap11Proxy *proxy;

static void die() {
    proxy->soap_stream_fault(std::cerr);
    exit(1);
}

static void upsert(const std::vector<ns1__Article *> &articles) {
    _ns1__UpsertArticles request;
    _ns1__UpsertArticlesResponse response;
    request.article = articles;
    if (proxy->UpsertArticles(&request, response)) die();
    for (ns2__RecordResult *result : response.result) {
        std::cout << soap_ns2__Outcome2s(proxy->soap, result->outcome) << ' ' << result->key;
        if (!result->message.empty()) {
            ns2__Message *message = result->message[0];
            std::cout << ": " << message->code << ' ' << *message->field;
        }
        std::cout << '\n';
    }
}

static ns1__Article *get(const char *sku) {
    _ns1__GetArticle request;
    _ns1__GetArticleResponse *response = soap_new__ns1__GetArticleResponse(proxy->soap);
    request.sku = sku;
    if (proxy->GetArticle(&request, *response)) die();
    return response->article;
}

int main(int, char **argv) {
    std::string endpoint = std::string(argv[1]) + "/soap/catalog";
    proxy = new CatalogSoap11Proxy(endpoint.c_str(), SOAP_C_UTFSTRING | SOAP_XML_STRICT);
    soap_set_version(proxy->soap, std::string(argv[2]) == "1.1" ? 1 : 2);
    std::string maker = "Öl AG", unit = "piece", weight = "123456789012.123456", currency = "EUR", german = "de";

    ns2__Text name;
    name.__item = "Grüße & <Öl> 🎉";
    name.language = &german;
    ns2__Price price;
    price.__item = "99999999999999.9999";
    price.currency = &currency;
    ns1__Article full, bare;
    full.sku = "Ä-1";
    full.name.push_back(&name);
    full.manufacturer = &maker;
    full.unit = &unit;
    full.weight = &weight;
    full.listPrice = &price;
    bare.sku = "Ä-2";
    upsert({&full, &bare});

    ns1__Article *found = get("Ä-1");
    std::cout << "name " << *found->name[0]->language << ": " << found->name[0]->__item << '\n'
              << "weight " << *found->weight << '\n'
              << "price " << found->listPrice->__item << ' ' << *found->listPrice->currency << '\n'
              << "manufacturer " << *found->manufacturer << '\n'
              << "unit " << *found->unit << '\n';

    ns1__Article absent;
    absent.sku = "Ä-1";
    upsert({&absent});

    // gSOAP writes either no empty pointer as nil or all of them, so what is to stay is given.
    ns1__Article nil;
    bool active = true;
    ns1__ListMembers nothing = (ns1__ListMembers)0;
    nil.sku = "Ä-1";
    nil.unit = &unit;
    nil.active = &active;
    nil.clear = &nothing;
    soap_set_omode(proxy->soap, SOAP_XML_NIL);
    upsert({&nil});
    soap_clr_omode(proxy->soap, SOAP_XML_NIL);
    found = get("Ä-1");
    std::cout << "manufacturer " << (found->manufacturer ? *found->manufacturer : "absent") << '\n'
              << "unit " << *found->unit << '\n';

    ns1__Article refused;
    refused.sku = "Ä-3";
    refused.category.push_back("no-such");
    upsert({&refused});

    _ns1__GetArticle unknown;
    _ns1__GetArticleResponse none;
    unknown.sku = "Ä-9";
    if (!proxy->GetArticle(&unknown, none)) return 1;
    SOAP_ENV__Fault *answer = proxy->soap->fault;
    ns2__NotFoundFault *fault = (answer->detail ? answer->detail : answer->SOAP_ENV__Detail)->ns2__notFoundFault;
    std::cout << "fault " << fault->code << ' ' << fault->kind << ' ' << fault->key << '\n';
}

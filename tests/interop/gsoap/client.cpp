// Every case with gSOAP.
#include "CatalogSoap11.nsmap"
#include "soapCatalogSoap11Proxy.h"
#include "soapExchangeSoap11Proxy.h"
#include "wsseapi.h"
#include <ctime>
#include <functional>
#include <iostream>

static std::string base, tls, certs, version, password, digest_secret;
static const char *const NAME = "Grüße & <Öl> 🎉";

// What is sent and received besides what gSOAP gives a program.
static std::string encoding;
static int (*own_header)(struct soap *, const char *, const char *);

static int header(struct soap *soap, const char *key, const char *value) {
    if (!soap_tag_cmp(key, "Content-Encoding")) encoding = value;
    return own_header(soap, key, value);
}

template <class Proxy> struct Connection {
    std::string endpoint;
    Proxy proxy;

    explicit Connection(const std::string &address, soap_mode mode = 0)
        : endpoint(address), proxy(endpoint.c_str(), SOAP_C_UTFSTRING | SOAP_XML_STRICT | mode) {
        soap_set_version(proxy.soap, version == "1.1" ? 1 : 2);
        own_header = proxy.soap->fparsehdr;
        proxy.soap->fparsehdr = header;
    }

    // Why the last call failed.
    std::string failure() {
        soap_set_fault(proxy.soap);
        const char **code = soap_faultcode(proxy.soap), **message = soap_faultstring(proxy.soap);
        return std::string(code && *code ? *code : "?") + ": " + (message && *message ? *message : "?");
    }
};

typedef Connection<CatalogSoap11Proxy> Catalog;
typedef Connection<ExchangeSoap11Proxy> Exchange;

static void run(const char *name, const std::function<std::string()> &work) {
    std::cout << name << '\t' << work() << std::endl;
}

static std::string told(const std::string &failure, const char *wanted) {
    std::string code = failure.substr(0, failure.find(": "));
    code = code.substr(code.rfind(':') + 1);
    if (version == "1.2" && code == "Sender") code = "Client";
    return code + ' ' + (failure.find(wanted) != std::string::npos ? "told" : failure);
}

static std::string utc(time_t time) {
    char text[32];
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime(&time));
    return text;
}

static std::string upserted(Catalog &catalog, const std::vector<ns2__Article *> &articles, size_t *count = nullptr) {
    _ns2__UpsertArticles request;
    _ns2__UpsertArticlesResponse response;
    request.article = articles;
    if (catalog.proxy.UpsertArticles(&request, response)) return catalog.failure();
    if (count) *count = response.result.size();
    ns1__RecordResult *first = response.result.at(0);
    return std::string(soap_ns1__Outcome2s(catalog.proxy.soap, first->outcome)) + ' ' + first->key;
}

static ns2__Article *get(Catalog &catalog, const char *sku) {
    _ns2__GetArticle request;
    _ns2__GetArticleResponse *response = soap_new__ns2__GetArticleResponse(catalog.proxy.soap);
    request.sku = sku;
    return catalog.proxy.GetArticle(&request, *response) ? nullptr : response->article;
}

static std::string listed(Catalog &catalog, std::string text, int limit) {
    _ns2__ListArticles request;
    _ns2__ListArticlesResponse response;
    request.text = &text;
    request.limit = &limit;
    if (catalog.proxy.ListArticles(&request, response)) return catalog.failure();
    return std::to_string(response.article.size());
}

static std::string imported(soap_mode mode) {
    Exchange exchange(base + "/soap/exchange", mode);
    std::string file = "sku\n";
    char line[32];
    for (int number = 0; number < 65536; number++) {
        snprintf(line, sizeof line, "BINARY-%08d\n", number);
        file += line;
    }
    _ns3__StartImport request;
    _ns3__StartImportResponse started;
    request.sourceName = "a.csv";
    request.content.__ptr = (unsigned char *)file.data();
    request.content.__size = (int)file.size();
    if (mode & SOAP_ENC_MTOM) {
        // By its type it knows what goes beside the envelope.
        request.content.id = nullptr;
        request.content.type = (char *)"application/octet-stream";
    }
    if (exchange.proxy.StartImport(&request, started)) return exchange.failure();
    ns3__Run *run = started.run;
    while (run->state == ns3__RunState__queued || run->state == ns3__RunState__running) {
        _ns3__GetRun asked;
        _ns3__GetRunResponse *answer = soap_new__ns3__GetRunResponse(exchange.proxy.soap);
        asked.id = run->id;
        if (exchange.proxy.GetRun(&asked, *answer)) return exchange.failure();
        run = answer->run;
    }
    return std::to_string(run->counters->read);
}

static std::string secured(const char *key, const std::function<int(struct soap *)> &prepare) {
    Catalog catalog(tls + "/soap/catalog");
    struct soap *soap = catalog.proxy.soap;
    std::string authority = certs + "/ca.pem";
    if (soap_ssl_client_context(soap, SOAP_SSL_DEFAULT, key, nullptr, authority.c_str(), nullptr, nullptr)) return catalog.failure();
    soap_register_plugin(soap, soap_wsse);
    if (prepare(soap)) return catalog.failure();
    _ns2__ListArticles request;
    _ns2__ListArticlesResponse response;
    if (catalog.proxy.ListArticles(&request, response)) return catalog.failure();
    return std::to_string(response.article.size());
}

int main(int, char **argv) {
    base = argv[1], tls = argv[2], certs = argv[3], version = argv[4], password = argv[5], digest_secret = argv[6];
    soap_ssl_init();
    Catalog catalog(base + "/soap/catalog");
    struct soap *soap = catalog.proxy.soap;
    std::string maker = "Öl AG", unit = "piece";

    run("call", [&] {
        std::string weight = "0.123456789012345678", currency = "EUR", german = "de";
        // 10:00 in a zone an hour east of Greenwich; and a time without a zone, which gSOAP has not.
        time_t from = 1795510800, until = 1798106400;
        ns1__Text name;
        name.__item = NAME;
        name.language = &german;
        ns1__Price price;
        price.__item = "99999999999999.9999";
        price.currency = &currency;
        ns2__Article article;
        article.sku = "Ä-1";
        article.name.push_back(&name);
        article.manufacturer = &maker;
        article.unit = &unit;
        article.weight = &weight;
        article.listPrice = &price;
        article.activeFrom = &from;
        article.activeUntil = &until;
        return upserted(catalog, {&article});
    });
    ns2__Article *found = get(catalog, "Ä-1");
    if (!found) return std::cerr << catalog.failure() << '\n', 1;
    run("text", [&] { return found->name[0]->__item; });
    run("decimal", [&] { return *found->weight + ' ' + found->listPrice->__item; });
    run("times", [&] { return utc(*found->activeFrom) + ' ' + utc(*found->activeUntil); });
    run("nil", [&]() -> std::string {
        // gSOAP writes either no empty pointer as nil or all of them, so what is to stay is given.
        ns2__Article nil;
        bool active = true;
        ns2__ListMembers nothing = (ns2__ListMembers)0;
        nil.sku = "Ä-1";
        nil.unit = &unit;
        nil.active = &active;
        nil.clear = &nothing;
        soap_set_omode(soap, SOAP_XML_NIL);
        std::string outcome = upserted(catalog, {&nil});
        soap_clr_omode(soap, SOAP_XML_NIL);
        found = get(catalog, "Ä-1");
        if (!found) return outcome;
        return (found->manufacturer ? *found->manufacturer : "absent") + ' ' + *found->unit;
    });
    run("empty", [&] { return listed(catalog, "nowhere", 10); });
    run("many", [&] {
        std::vector<ns2__Article> articles(500);
        std::vector<ns2__Article *> pointers;
        char sku[16];
        for (int number = 0; number < 500; number++) {
            snprintf(sku, sizeof sku, "M-%03d", number);
            articles[number].sku = sku;
            pointers.push_back(&articles[number]);
        }
        size_t count = 0;
        upserted(catalog, pointers, &count);
        return std::to_string(count) + ' ' + listed(catalog, "M-", 500);
    });
    run("fault", [&]() -> std::string {
        if (get(catalog, "Ä-9")) return "there was no fault";
        SOAP_ENV__Fault *answer = soap->fault;
        ns1__NotFoundFault *fault = (answer->detail ? answer->detail : answer->SOAP_ENV__Detail)->ns1__notFoundFault;
        return fault->code + ' ' + fault->kind + ' ' + fault->key;
    });
    run("wrong-type", [&] {
        ns2__Article article;
        std::string weight = "heavy";
        article.sku = "X";
        article.weight = &weight;
        return told(upserted(catalog, {&article}), "not valid");
    });
    run("unknown-operation", [&] {
        Catalog elsewhere(base + "/soap/exchange");
        return told(listed(elsewhere, "", 1), "has no operation");
    });
    run("binary", [&] { return imported(0); });
    run("mtom", [&] { return imported(SOAP_ENC_MTOM); });
    run("gzip", [&] {
        // It compresses requests too.
        Catalog compressed(base + "/soap/catalog", SOAP_ENC_ZLIB);
        std::string count = listed(compressed, "M-", 500);
        return count == "500" ? encoding : count;
    });
    run("username-token", [&] {
        secured(nullptr, [](struct soap *soap) { return soap_wsse_add_UsernameTokenText(soap, "User", "erp", password.c_str()); });
        return secured(nullptr, [](struct soap *soap) {
            return soap_wsse_add_UsernameTokenDigest(soap, "User", "erp", digest_secret.c_str());
        });
    });
    run("client-certificate", [&] {
        std::string key = certs + "/client-with-key.pem";
        return secured(key.c_str(), [](struct soap *) { return SOAP_OK; });
    });
}

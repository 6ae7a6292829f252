// The stock as a server by gSOAP: stock PORT
#include "StockSoap.nsmap"
#include "soapStockSoapService.h"
#include <cstdlib>
#include <map>
#include <string>

static const std::map<std::string, std::string> SHELF = {
    {"AB-123", "7.25"}, {"AB-124", "0"}, {"AB-125", "0.123456789012345678"}};

int StockSoapService::GetStock(_ns1__GetStock *request, _ns1__GetStockResponse &answer) {
    for (const std::string &sku : request->sku) {
        auto found = SHELF.find(sku);
        if (found == SHELF.end()) {
            soap_sender_fault(soap, ("There is no " + sku).c_str(), nullptr);
            SOAP_ENV__Detail *detail = soap_new_SOAP_ENV__Detail(soap);
            detail->ns1__UnknownArticle = soap_new__ns1__UnknownArticle(soap);
            detail->ns1__UnknownArticle->sku = sku;
            soap->fault->detail = detail;
            return SOAP_FAULT;
        }
        ns1__Stock *stock = soap_new_ns1__Stock(soap);
        stock->sku = sku;
        stock->quantity = found->second;
        answer.stock.push_back(stock);
    }
    return SOAP_OK;
}

int main(int, char **argv) {
    StockSoapService service(SOAP_C_UTFSTRING);
    service.soap->bind_flags = SO_REUSEADDR;
    if (!soap_valid_socket(service.bind("127.0.0.1", atoi(argv[1]), 10))) return 1;
    while (soap_valid_socket(service.accept())) {
        service.serve();
        service.destroy();
    }
}

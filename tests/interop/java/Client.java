// Every case with JAX-WS: CXF and Metro make the classes of the contract, and a class Stack of their own each.

import catalog.Article;
import catalog.Catalog;
import catalog.CatalogService;
import catalog.NotFoundFault_Exception;
import catalog.Price;
import catalog.Text;
import exchange.Exchange;
import exchange.ExchangeService;
import exchange.Run;
import exchange.RunKind;
import exchange.RunState;
import jakarta.xml.ws.BindingProvider;
import jakarta.xml.ws.Holder;
import jakarta.xml.ws.Service;
import jakarta.xml.ws.WebServiceFeature;
import jakarta.xml.ws.soap.MTOMFeature;
import jakarta.xml.ws.soap.SOAPFaultException;
import java.io.FileInputStream;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.xml.datatype.DatatypeFactory;
import javax.xml.datatype.XMLGregorianCalendar;
import javax.xml.namespace.QName;

public class Client {
  static final String NAME = "Grüße & <Öl> 🎉";
  static String base, tls, certs, version, password, digestSecret;
  static PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  static void run(String name, Callable<Object> work) {
    Object result;
    try {
      result = work.call();
    } catch (Throwable error) {
      result = (error.getClass().getSimpleName() + ": " + error.getMessage()).replace('\n', ' ');
    }
    out.println(name + "\t" + result);
  }

  static String told(SOAPFaultException error, String wanted) {
    var fault = error.getFault();
    String code = fault.getFaultCodeAsQName().getLocalPart();
    String message = fault.getFaultString();
    return (version.equals("1.2") && code.equals("Sender") ? "Client" : code) + " " + (message.contains(wanted) ? "told" : message);
  }

  static <T> T connect(Service service, String namespace, String name, Class<T> type, String address, WebServiceFeature... features) {
    QName port = new QName(namespace, name + "Soap" + version.replace(".", "") + "Port");
    T proxy = service.getPort(port, type, features);
    ((BindingProvider) proxy).getRequestContext().put(BindingProvider.ENDPOINT_ADDRESS_PROPERTY, address);
    return proxy;
  }

  static Catalog catalog(String address, String path) throws Exception {
    Service service = new CatalogService(new URL(address + "/soap/catalog?wsdl"));
    return connect(service, "urn:soapstone:catalog/v1", "Catalog", Catalog.class, address + path);
  }

  static Exchange exchange(WebServiceFeature... features) throws Exception {
    Service service = new ExchangeService(new URL(base + "/soap/exchange?wsdl"));
    return connect(service, "urn:soapstone:exchange/v1", "Exchange", Exchange.class, base + "/soap/exchange", features);
  }

  static int list(Catalog catalog, String text, int limit) throws Exception {
    var articles = new Holder<List<Article>>();
    catalog.listArticles(null, null, text, null, limit, null, null, articles, new Holder<>());
    return articles.value == null ? 0 : articles.value.size();
  }

  static XMLGregorianCalendar time(String text) throws Exception {
    return DatatypeFactory.newInstance().newXMLGregorianCalendar(text);
  }

  static String utc(XMLGregorianCalendar time) {
    return DateTimeFormatter.ISO_INSTANT.format(time.toGregorianCalendar().toInstant());
  }

  static Article article(String sku) {
    Article article = new Article();
    article.setSku(sku);
    return article;
  }

  static String imported(Exchange exchange) throws Exception {
    var file = new StringBuilder("sku\n");
    for (int number = 0; number < 65536; number++) file.append(String.format("BINARY-%08d%n", number).replace("\r", ""));
    Run run = exchange.startImport(RunKind.ARTICLES, null, null, "a.csv", null, file.toString().getBytes(StandardCharsets.US_ASCII), null, null, null, null);
    while (run.getState() == RunState.QUEUED || run.getState() == RunState.RUNNING) run = exchange.getRun(run.getId());
    return String.valueOf(run.getCounters().getRead());
  }

  // Trusts our authority, and shows the client's certificate.
  static SSLContext trust(boolean own) throws Exception {
    var authority = KeyStore.getInstance("PKCS12");
    authority.load(null, null);
    try (var file = new FileInputStream(certs + "/ca.pem")) {
      authority.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(file));
    }
    var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(authority);
    var keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    var client = KeyStore.getInstance("PKCS12");
    try (var file = new FileInputStream(certs + "/client.p12")) {
      client.load(file, "soapstone".toCharArray());
    }
    keys.init(client, "soapstone".toCharArray());
    var context = SSLContext.getInstance("TLS");
    context.init(own ? keys.getKeyManagers() : null, trust.getTrustManagers(), null);
    SSLContext.setDefault(context);
    HttpsURLConnection.setDefaultSSLSocketFactory(context.getSocketFactory());
    return context;
  }

  public static void main(String[] arguments) throws Exception {
    base = arguments[0];
    tls = arguments[1];
    certs = arguments[2];
    version = arguments[3];
    password = arguments[4];
    digestSecret = arguments[5];
    Stack.prepare();
    Catalog catalog = catalog(base, "/soap/catalog");

    run("call", () -> {
      Article article = article("Ä-1");
      Text name = new Text();
      name.setValue(NAME);
      name.setLanguage("de");
      article.getName().add(name);
      Price price = new Price();
      price.setValue(new BigDecimal("99999999999999.9999"));
      price.setCurrency("EUR");
      var factory = new catalog.ObjectFactory();
      article.setManufacturer(factory.createArticleManufacturer("Öl AG"));
      article.setUnit(factory.createArticleUnit("piece"));
      article.setWeight(factory.createArticleWeight(new BigDecimal("0.123456789012345678")));
      article.setListPrice(factory.createArticleListPrice(price));
      article.setActiveFrom(factory.createArticleActiveFrom(time("2026-11-24T10:00:00+01:00")));
      article.setActiveUntil(factory.createArticleActiveUntil(time("2026-12-24T10:00:00")));
      var result = catalog.upsertArticles(List.of(article)).get(0);
      return result.getOutcome().value() + " " + result.getKey();
    });
    Article found = catalog.getArticle("Ä-1");
    run("text", () -> found.getName().get(0).getValue());
    run("decimal", () -> found.getWeight().getValue().toPlainString() + " " + found.getListPrice().getValue().getValue().toPlainString());
    run("times", () -> utc(found.getActiveFrom().getValue()) + " " + utc(found.getActiveUntil().getValue()));
    run("nil", () -> {
      Article nil = article("Ä-1");
      var none = new catalog.ObjectFactory().createArticleManufacturer(null);
      none.setNil(true);
      nil.setManufacturer(none);
      catalog.upsertArticles(List.of(nil));
      Article now = catalog.getArticle("Ä-1");
      return (now.getManufacturer() == null ? "absent" : now.getManufacturer().getValue()) + " " + now.getUnit().getValue();
    });
    run("empty", () -> list(catalog, "nowhere", 10));
    run("many", () -> {
      var articles = new ArrayList<Article>();
      for (int number = 0; number < 500; number++) articles.add(article(String.format("M-%03d", number)));
      return catalog.upsertArticles(articles).size() + " " + list(catalog, "M-", 500);
    });
    run("fault", () -> {
      try {
        return catalog.getArticle("Ä-9");
      } catch (NotFoundFault_Exception error) {
        var fault = error.getFaultInfo();
        return fault.getCode() + " " + fault.getKind() + " " + fault.getKey();
      }
    });
    run("wrong-type", () -> {
      try {
        Article wrong = article("X");
        Price price = new Price();
        price.setValue(BigDecimal.ONE);
        price.setCurrency("EURO");
        wrong.setListPrice(new catalog.ObjectFactory().createArticleListPrice(price));
        return catalog.upsertArticles(List.of(wrong));
      } catch (SOAPFaultException error) {
        return told(error, "not valid");
      }
    });
    run("unknown-operation", () -> {
      try {
        return list(catalog(base, "/soap/exchange"), null, 1);
      } catch (SOAPFaultException error) {
        return told(error, "has no operation");
      }
    });
    run("binary", () -> imported(exchange()));
    run("mtom", () -> imported(exchange(new MTOMFeature())));
    run("gzip", () -> {
      Catalog compressed = catalog(base, "/soap/catalog");
      Stack.compress(compressed);
      list(compressed, null, 500);
      return Stack.encoding(compressed);
    });
    run("username-token", () -> {
      SSLContext context = trust(false);
      int count = 0;
      for (boolean digest : new boolean[] {false, true}) {
        Catalog secured = catalog(tls, "/soap/catalog");
        Stack.tls(secured, context);
        Stack.username(secured, "erp", digest ? digestSecret : password, digest);
        count = list(secured, null, 10);
      }
      return count;
    });
    run("client-certificate", () -> {
      SSLContext context = trust(true);
      Catalog secured = catalog(tls, "/soap/catalog");
      Stack.tls(secured, context);
      return list(secured, null, 10);
    });
    System.exit(0);
  }
}

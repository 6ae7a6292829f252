// Every case with Axis 1.4.

import catalog.Article;
import catalog.Catalog;
import catalog.CatalogServiceLocator;
import catalog.NotFoundFault;
import catalog.Price;
import catalog.Text;
import catalog.holders.ArticleArrayHolder;
import exchange.Exchange;
import exchange.ExchangeServiceLocator;
import exchange.Run;
import exchange.RunKind;
import exchange.RunState;
import java.io.FileInputStream;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.text.SimpleDateFormat;
import java.util.Base64;
import java.util.Calendar;
import java.util.TimeZone;
import java.util.concurrent.Callable;
import javax.xml.namespace.QName;
import javax.xml.rpc.holders.StringHolder;
import org.apache.axis.AxisFault;
import org.apache.axis.client.Stub;
import org.apache.axis.message.SOAPHeaderElement;
import org.apache.axis.types.Token;

public class AxisClient {
  // Without the emoji of the others: characters beyond U+FFFF it writes as two references that are no characters.
  static final String NAME = "Grüße & <Öl>";
  static final String WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
  static final String WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
  static final String PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#";
  static PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  static void run(String name, Callable<Object> work) {
    Object result;
    try {
      result = work.call();
    } catch (Throwable error) {
      result = (error.getClass().getSimpleName() + ": " + error).replace('\n', ' ');
    }
    out.println(name + "\t" + result);
  }

  static Catalog catalog(String address) throws Exception {
    return new CatalogServiceLocator().getCatalogSoap11Port(new URL(address));
  }

  static Article article(String sku) {
    Article article = new Article();
    article.setSku(new Token(sku));
    return article;
  }

  static int list(Catalog catalog, String text, int limit) throws Exception {
    ArticleArrayHolder articles = new ArticleArrayHolder();
    catalog.listArticles(null, null, text, null, limit, null, null, articles, new StringHolder());
    return articles.value == null ? 0 : articles.value.length;
  }

  static String told(AxisFault fault, String wanted) {
    return fault.getFaultCode().getLocalPart() + " " + (fault.getFaultString().contains(wanted) ? "told" : fault.getFaultString());
  }

  static String utc(Calendar time) {
    SimpleDateFormat format = new SimpleDateFormat("yyyy-MM-dd'T'HH:mm:ss'Z'");
    format.setTimeZone(TimeZone.getTimeZone("UTC"));
    return format.format(time.getTime());
  }

  static Calendar at(int month, int hour) {
    Calendar time = Calendar.getInstance(TimeZone.getTimeZone("UTC"));
    time.clear();
    time.set(2026, month - 1, 24, hour, 0, 0);
    return time;
  }

  static void username(Catalog catalog, String secret, boolean digest) throws Exception {
    SimpleDateFormat format = new SimpleDateFormat("yyyy-MM-dd'T'HH:mm:ss'Z'");
    format.setTimeZone(TimeZone.getTimeZone("UTC"));
    String created = format.format(Calendar.getInstance().getTime());
    byte[] nonce = new byte[16];
    new java.security.SecureRandom().nextBytes(nonce);
    if (digest) {
      MessageDigest sha = MessageDigest.getInstance("SHA-1");
      sha.update(nonce);
      secret = Base64.getEncoder().encodeToString(sha.digest((created + secret).getBytes(StandardCharsets.UTF_8)));
    }
    SOAPHeaderElement security = new SOAPHeaderElement(new QName(WSSE, "Security"));
    security.setMustUnderstand(true);
    security.setActor(null);
    var token = security.addChildElement("UsernameToken", "wsse", WSSE);
    token.addChildElement("Username", "wsse", WSSE).addTextNode("erp");
    var password = token.addChildElement("Password", "wsse", WSSE).addTextNode(secret);
    password.setAttribute("Type", PROFILE + (digest ? "PasswordDigest" : "PasswordText"));
    token.addChildElement("Nonce", "wsse", WSSE).addTextNode(Base64.getEncoder().encodeToString(nonce));
    token.addChildElement("Created", "wsu", WSU).addTextNode(created);
    ((Stub) catalog).setHeader(security);
  }

  public static void main(String[] arguments) throws Exception {
    String base = arguments[0], tls = arguments[1], certs = arguments[2], password = arguments[4], digestSecret = arguments[5];
    Catalog catalog = catalog(base + "/soap/catalog");

    run("call", () -> {
      Article article = article("Ä-1");
      Text name = new Text(NAME);
      name.setLanguage(new Token("de"));
      article.setName(new Text[] {name});
      article.setManufacturer("Öl AG");
      article.setUnit(new Token("piece"));
      article.setWeight(new BigDecimal("0.123456789012345678"));
      Price price = new Price(new BigDecimal("99999999999999.9999"));
      price.setCurrency(new Token("EUR"));
      article.setListPrice(price);
      // It has no time without a zone.
      article.setActiveFrom(at(11, 9));
      article.setActiveUntil(at(12, 10));
      var result = catalog.upsertArticles(new Article[] {article})[0];
      return result.getOutcome() + " " + result.getKey();
    });
    Article found = catalog.getArticle(new Token("Ä-1"));
    run("text", () -> {
      String text = found.getName(0).get_value();
      return text.equals(NAME) ? "n/a: of all but emoji, which Axis does not write as XML has them" : text;
    });
    run("decimal", () -> found.getWeight().toPlainString() + " " + found.getListPrice().get_value().toPlainString());
    run("times", () -> utc(found.getActiveFrom()) + " " + utc(found.getActiveUntil()));
    run("nil", () -> "n/a: Axis leaves out what is null, and cannot say nil");
    run("empty", () -> list(catalog, "nowhere", 10));
    run("many", () -> {
      Article[] articles = new Article[500];
      for (int number = 0; number < 500; number++) articles[number] = article(String.format("M-%03d", number));
      return catalog.upsertArticles(articles).length + " " + list(catalog, "M-", 500);
    });
    run("fault", () -> {
      try {
        return catalog.getArticle(new Token("Ä-9"));
      } catch (NotFoundFault fault) {
        return fault.getCode() + " " + fault.getKind() + " " + fault.getKey();
      }
    });
    run("wrong-type", () -> {
      try {
        Article wrong = article("X");
        wrong.setListPrice(new Price(BigDecimal.ONE));
        wrong.getListPrice().setCurrency(new Token("EURO"));
        return catalog.upsertArticles(new Article[] {wrong});
      } catch (AxisFault fault) {
        return told(fault, "not valid");
      }
    });
    run("unknown-operation", () -> {
      try {
        return list(catalog(base + "/soap/exchange"), null, 1);
      } catch (AxisFault fault) {
        return told(fault, "has no operation");
      }
    });
    run("binary", () -> {
      Exchange exchange = new ExchangeServiceLocator().getExchangeSoap11Port(new URL(base + "/soap/exchange"));
      StringBuilder file = new StringBuilder("sku\n");
      for (int number = 0; number < 65536; number++) file.append(String.format("BINARY-%08d\n", number));
      byte[] content = file.toString().getBytes(StandardCharsets.US_ASCII);
      Run run = exchange.startImport(RunKind.articles, null, null, "a.csv", null, content, null, null, null, null);
      while (run.getState() == RunState.queued || run.getState() == RunState.running) run = exchange.getRun(run.getId());
      return run.getCounters().getRead();
    });
    run("mtom", () -> "n/a: Axis 1.4 is older than MTOM");
    run("gzip", () -> "n/a: Axis has it with another HTTP client only");
    System.setProperty("javax.net.ssl.trustStore", certs + "/trust.p12");
    System.setProperty("javax.net.ssl.trustStorePassword", "soapstone");
    System.setProperty("javax.net.ssl.keyStore", certs + "/client.p12");
    System.setProperty("javax.net.ssl.keyStorePassword", "soapstone");
    run("username-token", () -> {
      int count = 0;
      for (boolean digest : new boolean[] {false, true}) {
        Catalog secured = catalog(tls + "/soap/catalog");
        username(secured, digest ? digestSecret : password, digest);
        count = list(secured, null, 10);
      }
      return count;
    });
    run("client-certificate", () -> list(catalog(tls + "/soap/catalog"), null, 10));
  }
}

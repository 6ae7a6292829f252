// Calls the catalogue as the policy in its contract says: Policy BASE-URL CERTIFICATES

import catalog.Catalog;
import catalog.CatalogService;
import catalog.Category;
import jakarta.xml.ws.BindingProvider;
import jakarta.xml.ws.Holder;
import jakarta.xml.ws.soap.SOAPFaultException;
import java.io.FileInputStream;
import java.net.URL;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.List;
import javax.security.auth.callback.CallbackHandler;
import org.apache.cxf.BusFactory;
import org.apache.cxf.ws.security.SecurityConstants;
import org.apache.wss4j.common.crypto.Merlin;
import org.apache.wss4j.common.ext.WSPasswordCallback;

public class Policy {
  static Certificate certificate(String path) throws Exception {
    try (var file = new FileInputStream(path)) {
      return CertificateFactory.getInstance("X.509").generateCertificate(file);
    }
  }

  static void call(String base, Merlin crypto, String alias) throws Exception {
    Catalog catalog = new CatalogService(new URL(base + "/soap/catalog?wsdl")).getCatalogSoap12Port();
    var context = ((BindingProvider) catalog).getRequestContext();
    CallbackHandler password = callbacks -> ((WSPasswordCallback) callbacks[0]).setPassword("soapstone");
    context.put(SecurityConstants.CALLBACK_HANDLER, password);
    context.put(SecurityConstants.SIGNATURE_CRYPTO, crypto);
    // Its own suite is SHA-256 and AES-256-GCM, but for these.
    context.put("ws-security.custom.alg.suite.asymmetric.key.encryption.algorithm", "http://www.w3.org/2009/xmlenc11#rsa-oaep");
    context.put("ws-security.custom.alg.suite.asymmetric.signature", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256");
    // The suite of the standard means SHA-1 where it signs.
    context.put(SecurityConstants.ASYMMETRIC_SIGNATURE_ALGORITHM, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256");
    context.put(SecurityConstants.SIGNATURE_USERNAME, alias);
    context.put(SecurityConstants.ENCRYPT_CRYPTO, crypto);
    context.put(SecurityConstants.ENCRYPT_USERNAME, "server");
    Category category = new Category();
    category.setId("Ä");
    var results = catalog.upsertCategories(List.of(category));
    var categories = new Holder<List<Category>>();
    catalog.listCategories(null, null, 10, null, null, null, categories, new Holder<>());
    System.out.println(results.get(0).getOutcome().value() + " " + categories.value.size());
    try {
      catalog.getArticle("none");
    } catch (catalog.NotFoundFault_Exception fault) {
      System.out.println("fault " + fault.getFaultInfo().getCode());
    }
  }

  public static void main(String[] arguments) throws Exception {
    String certs = arguments[1];
    BusFactory.getDefaultBus().setProperty("org.apache.cxf.transport.process_fault_on_http_400", true);
    var store = KeyStore.getInstance("PKCS12");
    try (var file = new FileInputStream(certs + "/client.p12")) {
      store.load(file, "soapstone".toCharArray());
    }
    String alias = store.aliases().nextElement();
    store.setCertificateEntry("ca", certificate(certs + "/ca.pem"));
    store.setCertificateEntry("server", certificate(certs + "/server.pem"));
    var crypto = new Merlin();
    crypto.setKeyStore(store);
    try {
      call(arguments[0], crypto, alias);
    } catch (SOAPFaultException error) {
      System.out.println(error.getFault().getFaultCode() + " " + error.getMessage());
    }
    System.exit(0);
  }
}

// What CXF does in its own way.

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.security.auth.callback.CallbackHandler;
import org.apache.cxf.BusFactory;
import org.apache.cxf.configuration.jsse.TLSClientParameters;
import org.apache.cxf.endpoint.Client;
import org.apache.cxf.frontend.ClientProxy;
import org.apache.cxf.message.Message;
import org.apache.cxf.transport.http.HTTPConduit;
import org.apache.cxf.transport.common.gzip.GZIPFeature;
import org.apache.cxf.ws.security.wss4j.WSS4JOutInterceptor;
import org.apache.wss4j.common.ext.WSPasswordCallback;

class Stack {
  static String encoding = "none";

  static void prepare() {
    // Otherwise it does not read the faults that SOAP 1.2 has with the status 400.
    BusFactory.getDefaultBus().setProperty("org.apache.cxf.transport.process_fault_on_http_400", true);
  }

  static void tls(Object port, SSLContext context) {
    var parameters = new TLSClientParameters();
    parameters.setSslContext(context);
    ((HTTPConduit) ClientProxy.getClient(port).getConduit()).setTlsClientParameters(parameters);
  }

  static void compress(Object port) {
    Client client = ClientProxy.getClient(port);
    var feature = new GZIPFeature();
    // Requests too, however short.
    feature.setThreshold(0);
    feature.initialize(client, client.getBus());
    client.getInInterceptors().add(0, new org.apache.cxf.phase.AbstractPhaseInterceptor<Message>("receive") {
      { addBefore("org.apache.cxf.transport.common.gzip.GZIPInInterceptor"); }

      @Override
      public void handleMessage(Message message) {
        @SuppressWarnings("unchecked")
        var headers = (Map<String, List<String>>) message.get(Message.PROTOCOL_HEADERS);
        headers.forEach((name, values) -> {
          if (name.equalsIgnoreCase("content-encoding")) encoding = values.get(0);
        });
      }
    });
  }

  static String encoding(Object port) {
    return encoding;
  }

  static void username(Object port, String name, String secret, boolean digest) {
    var properties = new HashMap<String, Object>();
    properties.put("action", "UsernameToken");
    properties.put("user", name);
    properties.put("passwordType", digest ? "PasswordDigest" : "PasswordText");
    CallbackHandler password = callbacks -> ((WSPasswordCallback) callbacks[0]).setPassword(secret);
    properties.put("passwordCallbackRef", password);
    ClientProxy.getClient(port).getOutInterceptors().add(new WSS4JOutInterceptor(properties));
  }
}

// What Metro does in its own way.

import jakarta.xml.ws.BindingProvider;
import jakarta.xml.ws.handler.Handler;
import jakarta.xml.ws.handler.MessageContext;
import jakarta.xml.ws.handler.soap.SOAPHandler;
import jakarta.xml.ws.handler.soap.SOAPMessageContext;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.xml.namespace.QName;

class Stack {
  static final String WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
  static final String WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
  static final String PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#";

  static void prepare() {}

  // It has that of the machine.
  static void tls(Object port, SSLContext context) {}

  static void compress(Object port) {
    ((BindingProvider) port).getRequestContext().put(MessageContext.HTTP_REQUEST_HEADERS, Map.of("Accept-Encoding", List.of("gzip")));
  }

  static String encoding(Object port) {
    @SuppressWarnings("unchecked")
    var headers = (Map<String, List<String>>) ((BindingProvider) port).getResponseContext().get(MessageContext.HTTP_RESPONSE_HEADERS);
    for (var header : headers.entrySet()) {
      if ("content-encoding".equalsIgnoreCase(header.getKey())) return header.getValue().get(0);
    }
    return "none";
  }

  // JAX-WS alone knows nothing of WS-Security, so that a handler writes the header.
  static void username(Object port, String name, String secret, boolean digest) {
    Handler<SOAPMessageContext> handler = new SOAPHandler<>() {
      @Override
      public boolean handleMessage(SOAPMessageContext context) {
        if (!(Boolean) context.get(MessageContext.MESSAGE_OUTBOUND_PROPERTY)) return true;
        try {
          var envelope = context.getMessage().getSOAPPart().getEnvelope();
          var header = envelope.getHeader() == null ? envelope.addHeader() : envelope.getHeader();
          var security = header.addHeaderElement(new QName(WSSE, "Security", "wsse"));
          security.setMustUnderstand(true);
          var token = security.addChildElement("UsernameToken", "wsse", WSSE);
          token.addChildElement("Username", "wsse", WSSE).addTextNode(name);
          var nonce = new byte[16];
          new SecureRandom().nextBytes(nonce);
          String created = Instant.now().truncatedTo(ChronoUnit.MILLIS).toString();
          String sent = secret;
          if (digest) {
            var sha = MessageDigest.getInstance("SHA-1");
            sha.update(nonce);
            sent = Base64.getEncoder().encodeToString(sha.digest((created + secret).getBytes(StandardCharsets.UTF_8)));
          }
          var element = token.addChildElement("Password", "wsse", WSSE).addTextNode(sent);
          element.addAttribute(new QName("Type"), PROFILE + (digest ? "PasswordDigest" : "PasswordText"));
          token.addChildElement("Nonce", "wsse", WSSE).addTextNode(Base64.getEncoder().encodeToString(nonce));
          token.addChildElement("Created", "wsu", WSU).addTextNode(created);
          return true;
        } catch (Exception error) {
          throw new RuntimeException(error);
        }
      }

      @Override
      public boolean handleFault(SOAPMessageContext context) {
        return true;
      }

      @Override
      public void close(MessageContext context) {}

      @Override
      public Set<QName> getHeaders() {
        return Set.of(new QName(WSSE, "Security"));
      }
    };
    var binding = ((BindingProvider) port).getBinding();
    @SuppressWarnings("rawtypes")
    var chain = new ArrayList<Handler>(binding.getHandlerChain());
    chain.add(handler);
    binding.setHandlerChain(chain);
  }
}

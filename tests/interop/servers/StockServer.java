// The stock as a server by JAX-WS, from the classes of the contract: StockServer PORT

import jakarta.jws.WebService;
import jakarta.xml.ws.Endpoint;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

@WebService(
    serviceName = "StockService",
    portName = "StockPort",
    targetNamespace = "urn:example:stock",
    endpointInterface = "stock.Stock")
public class StockServer implements stock.Stock {
  static final Map<String, String> SHELF = Map.of("AB-123", "7.25", "AB-124", "0", "AB-125", "0.123456789012345678");

  @Override
  public List<stock.Stock_Type> getStock(List<String> skus) throws stock.UnknownArticleFault {
    var answer = new ArrayList<stock.Stock_Type>();
    for (String sku : skus) {
      if (!SHELF.containsKey(sku)) {
        var detail = new stock.UnknownArticle();
        detail.setSku(sku);
        throw new stock.UnknownArticleFault("There is no " + sku, detail);
      }
      var item = new stock.Stock_Type();
      item.setSku(sku);
      item.setQuantity(new BigDecimal(SHELF.get(sku)));
      answer.add(item);
    }
    return answer;
  }

  public static void main(String[] arguments) {
    Endpoint.publish("http://127.0.0.1:" + arguments[0] + "/", new StockServer());
  }
}

// Every case with the proxies that wsdl makes, as .NET had them before WCF.
using System;
using System.Linq;
using System.Net;
using System.Web.Services.Protocols;
using System.Xml;
using Soapstone;
using Soapstone.Exchange;

class Proxies
{
    // Remembers how answers are packed.
    class Catalog : CatalogService
    {
        public string Encoding = "none";

        protected override WebRequest GetWebRequest(Uri uri)
        {
            var request = (HttpWebRequest)base.GetWebRequest(uri);
            if (EnableDecompression)
                request.AutomaticDecompression = DecompressionMethods.GZip;
            return request;
        }

        protected override WebResponse GetWebResponse(WebRequest request)
        {
            var response = base.GetWebResponse(request);
            // Mono takes the header away when it decompresses; what is not compressed has its length told.
            Encoding = EnableDecompression && response.ContentLength < 0 ? "gzip" : "none";
            return response;
        }
    }

    static Catalog Connect(string address)
    {
        return new Catalog { Url = address, SoapVersion = Protocol() };
    }

    static SoapProtocolVersion Protocol()
    {
        return Common.Version == "1.2" ? SoapProtocolVersion.Soap12 : SoapProtocolVersion.Soap11;
    }

    static Article[] List(CatalogService catalog, string text, int limit)
    {
        string next;
        return catalog.ListArticles(null, default(DateTime), false, text, null, limit, true, null, null, out next) ?? new Article[0];
    }

    static string Failing(string wanted, Action work)
    {
        try
        {
            work();
        }
        catch (SoapException fault)
        {
            return Common.Told(fault.Code.Name, fault.Message, wanted);
        }
        return "there was no fault";
    }

    static void Main(string[] arguments)
    {
        Common.Read(arguments);
        var catalog = Connect(Common.Base + "/soap/catalog");
        Common.Run("call", () =>
        {
            var article = new Article
            {
                sku = "Ä-1",
                name = new[] { new Text { language = "de", Value = Common.Name } },
                manufacturer = "Öl AG",
                unit = "piece",
                weight = 0.123456789012345678m,
                weightSpecified = true,
                listPrice = new Price { currency = "EUR", Value = 99999999999999.9999m },
                activeFrom = new DateTime(2026, 11, 24, 9, 0, 0, DateTimeKind.Utc).ToLocalTime(),
                activeFromSpecified = true,
                activeUntil = new DateTime(2026, 12, 24, 10, 0, 0, DateTimeKind.Unspecified),
                activeUntilSpecified = true,
            };
            var result = catalog.UpsertArticles(new[] { article })[0];
            return result.outcome + " " + result.key;
        });
        var found = catalog.GetArticle("Ä-1");
        Common.Run("text", () => found.name[0].Value);
        Common.Run("decimal", () => found.weight.Value.ToString(System.Globalization.CultureInfo.InvariantCulture) + " " + found.listPrice.Value.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Common.Run("times", () => Common.Utc(found.activeFrom.Value) + " " + Common.Utc(found.activeUntil.Value));
        Common.Run("nil", () =>
        {
            // What is not set is sent as nil, so that what is to be kept must be set.
            catalog.UpsertArticles(new[] { new Article { sku = "Ä-1", unit = "piece" } });
            found = catalog.GetArticle("Ä-1");
            return (found.manufacturer ?? "absent") + " " + found.unit;
        });
        Common.Run("empty", () => List(catalog, "nowhere", 10).Length);
        Common.Run("many", () =>
        {
            var articles = Enumerable.Range(0, 500).Select(number => new Article { sku = "M-" + number.ToString("D3") });
            return catalog.UpsertArticles(articles.ToArray()).Length + " " + List(catalog, "M-", 500).Length;
        });
        Common.Run("fault", () =>
        {
            try
            {
                catalog.GetArticle("Ä-9");
            }
            catch (SoapException fault)
            {
                var detail = fault.Detail.ChildNodes.OfType<XmlElement>().First();
                Func<string, string> member = name => detail.GetElementsByTagName(name, "*")[0].InnerText;
                return member("code") + " " + member("kind") + " " + member("key");
            }
            return "there was no fault";
        });
        Common.Run("wrong-type", () => Failing("not valid", () =>
            catalog.UpsertArticles(new[] { new Article { sku = "X", listPrice = new Price { currency = "EURO", Value = 1 } } })));
        Common.Run("unknown-operation", () => Failing("has no operation", () => List(Connect(Common.Base + "/soap/exchange"), null, 1)));
        Common.Run("binary", () =>
        {
            var exchange = new ExchangeService { Url = Common.Base + "/soap/exchange", SoapVersion = Protocol() };
            var run = exchange.StartImport(RunKind.articles, default(RunFormat), false, null, "a.csv", false, false, Common.File(), default(ImportMode), false, 0, false, 0, false, false, false);
            while (run.state == RunState.queued || run.state == RunState.running)
                run = exchange.GetRun(run.id);
            return run.counters.read;
        });
        Common.Run("mtom", () => "n/a: these proxies have no MTOM");
        Common.Run("gzip", () =>
        {
            var compressed = Connect(Common.Base + "/soap/catalog");
            compressed.EnableDecompression = true;
            List(compressed, null, 500);
            return compressed.Encoding;
        });
        Common.Run("username-token", () => "n/a: WSE, which these proxies had it from, is no part of Mono");
        Common.Run("client-certificate", () =>
        {
            var secured = Connect(Common.Tls + "/soap/catalog");
            secured.ClientCertificates.Add(Common.Own());
            return List(secured, null, 10).Length;
        });
        Common.End();
    }
}

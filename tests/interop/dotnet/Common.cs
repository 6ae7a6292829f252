// What the clients in C# have in common: arguments, cases, the file of one megabyte, TLS.
using System;
using System.IO;
using System.Net;
using System.Net.Security;
using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;
using System.Text;

static class Common
{
    public const string Name = "Grüße & <Öl> 🎉";
    public static string Base, Tls, Certs, Version, Password, DigestSecret;

    public static void Read(string[] arguments)
    {
        Base = arguments[0];
        Tls = arguments[1];
        Certs = arguments[2];
        Version = arguments[3];
        Password = arguments[4];
        DigestSecret = arguments[5];
        Console.OutputEncoding = new UTF8Encoding(false);
        WebRequest.DefaultWebProxy = null;
        // The authority of this trial is in no store: the server's certificate must be issued by it.
        var authority = new X509Certificate2(Path.Combine(Certs, "ca.pem"));
        ServicePointManager.ServerCertificateValidationCallback = (sender, certificate, chain, errors) =>
            certificate.Issuer == authority.Subject && (errors & SslPolicyErrors.RemoteCertificateNameMismatch) == 0;
    }

    public static X509Certificate2 Own()
    {
        return new X509Certificate2(Path.Combine(Certs, "client.p12"), "soapstone");
    }

    public static byte[] File()
    {
        var text = new StringBuilder("sku\n");
        for (var number = 0; number < 65536; number++)
            text.AppendFormat("BINARY-{0:D8}\n", number);
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    public static string Utc(DateTime time)
    {
        if (time.Kind == DateTimeKind.Unspecified)
            return time + " has no zone";
        return time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
    }

    // Runs a function as a case, and prints what it gives.
    public static void Run(string name, Func<object> work)
    {
        object result;
        try
        {
            result = work();
        }
        catch (Exception error)
        {
            result = (error.GetType().Name + ": " + error.Message).Replace('\n', ' ');
        }
        Console.WriteLine(name + "\t" + result);
    }

    [DllImport("libc", EntryPoint = "_exit")]
    static extern void Leave(int status);

    // Ends at once. Mono's own end aborts the threads of its pool, and where one of them has just read the end of a
    // connection, it now and then fails an assertion of its own (mono-threads.c: previous_token == INTERRUPT_STATE).
    public static void End()
    {
        Console.Out.Flush();
        Leave(0);
    }

    public static string Told(string code, string message, string wanted)
    {
        if (Version == "1.2" && code == "Sender")
            code = "Client";
        return code + " " + (message.Contains(wanted) ? "told" : message);
    }
}

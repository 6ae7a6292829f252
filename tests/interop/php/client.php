<?php
// Every case with PHP's own SoapClient.
[, $base, $tls, $certs, $version, $password, $digestSecret] = $argv;
const NAME = 'Grüße & <Öl> 🎉';

function connect(string $address, string $service, array $options = []): SoapClient
{
    global $version;
    $url = "$address/soap/" . strtolower($service);
    return new SoapClient("$url?wsdl", $options + [
        'soap_version' => $version === '1.1' ? SOAP_1_1 : SOAP_1_2,
        'cache_wsdl' => WSDL_CACHE_NONE,
        'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
        'trace' => true,
    ]);
}

function run(string $name, callable $case): void
{
    try {
        $result = $case();
    } catch (Throwable $error) {
        $result = get_class($error) . ': ' . $error->getMessage();
    }
    echo "$name\t$result\n";
}

function told(SoapFault $fault, string $wanted): string
{
    $code = preg_replace('/^.*:/', '', $fault->faultcode);
    return ($code === 'Sender' ? 'Client' : $code) . ' ' . (str_contains($fault->getMessage(), $wanted) ? 'told' : $fault->getMessage());
}

function utc(string $time): string
{
    return (new DateTimeImmutable($time))->setTimezone(new DateTimeZone('UTC'))->format('Y-m-d\TH:i:s\Z');
}

$client = connect($base, 'Catalog');
$upsert = fn (array ...$articles) => $client->UpsertArticles(['article' => $articles])->result;

run('call', function () use ($upsert) {
    $result = $upsert([
        'sku' => 'Ä-1',
        'name' => [['_' => NAME, 'language' => 'de']],
        'manufacturer' => 'Öl AG',
        'unit' => 'piece',
        'weight' => '0.123456789012345678',
        'listPrice' => ['_' => '99999999999999.9999', 'currency' => 'EUR'],
        'activeFrom' => '2026-11-24T10:00:00+01:00',
        'activeUntil' => '2026-12-24T10:00:00',
    ])[0];
    return "$result->outcome $result->key";
});
$found = $client->GetArticle(['sku' => 'Ä-1'])->article;
run('text', fn () => $found->name[0]->_);
run('decimal', fn () => "$found->weight {$found->listPrice->_}");
run('times', fn () => utc($found->activeFrom) . ' ' . utc($found->activeUntil));
run('nil', function () use ($client, $upsert) {
    $upsert(['sku' => 'Ä-1', 'manufacturer' => null]);
    $found = $client->GetArticle(['sku' => 'Ä-1'])->article;
    return ($found->manufacturer ?? 'absent') . " $found->unit";
});
run('empty', fn () => count($client->ListArticles(['text' => 'nowhere'])->article ?? []));
run('many', function () use ($client, $upsert) {
    $results = $upsert(...array_map(fn ($number) => ['sku' => sprintf('M-%03d', $number)], range(0, 499)));
    return count($results) . ' ' . count($client->ListArticles(['text' => 'M-', 'limit' => 500])->article);
});
run('fault', function () use ($client) {
    try {
        $client->GetArticle(['sku' => 'Ä-9']);
    } catch (SoapFault $fault) {
        $detail = $fault->detail->notFoundFault;
        return "$detail->code $detail->kind $detail->key";
    }
});
run('wrong-type', function () use ($upsert) {
    try {
        $upsert(['sku' => 'X', 'weight' => 'heavy']);
    } catch (SoapFault $fault) {
        return told($fault, 'not valid');
    }
});
run('unknown-operation', function () use ($base) {
    try {
        connect($base, 'Catalog', ['location' => "$base/soap/exchange"])->ListCategories([]);
    } catch (SoapFault $fault) {
        return told($fault, 'has no operation');
    }
});
run('binary', function () use ($base) {
    $file = "sku\n" . implode('', array_map(fn ($number) => sprintf("BINARY-%08d\n", $number), range(0, 65535)));
    $exchange = connect($base, 'Exchange');
    $run = $exchange->StartImport(['kind' => 'articles', 'sourceName' => 'a.csv', 'content' => $file])->run;
    while (in_array($run->state, ['queued', 'running'])) {
        $run = $exchange->GetRun(['id' => $run->id])->run;
    }
    return $run->counters->read;
});
run('mtom', fn () => "n/a: PHP's client has no MTOM");
run('gzip', function () use ($base) {
    // It compresses requests too.
    $client = connect($base, 'Catalog', ['compression' => SOAP_COMPRESSION_ACCEPT | SOAP_COMPRESSION_GZIP | 5]);
    $client->ListArticles(['limit' => 500]);
    preg_match('/content-encoding: *(\S+)/i', $client->__getLastResponseHeaders(), $found);
    return $found[1] ?? 'none';
});
run('username-token', function () use ($tls, $certs, $password, $digestSecret) {
    $wsse = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd';
    $wsu = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd';
    $profile = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0';
    $created = gmdate('Y-m-d\TH:i:s\Z');
    $nonce = random_bytes(16);
    $digest = base64_encode(sha1($nonce . $created . $digestSecret, true));
    foreach ([['PasswordText', $password], ['PasswordDigest', $digest]] as [$kind, $secret]) {
        $text = "<w:Security xmlns:w='$wsse'><w:UsernameToken><w:Username>erp</w:Username><w:Password Type='$profile#$kind'>$secret</w:Password>"
            . '<w:Nonce>' . base64_encode($nonce) . "</w:Nonce><u:Created xmlns:u='$wsu'>$created</u:Created></w:UsernameToken></w:Security>";
        $context = stream_context_create(['ssl' => ['cafile' => "$certs/ca.pem"]]);
        $client = connect($tls, 'Catalog', ['stream_context' => $context]);
        $client->__setSoapHeaders(new SoapHeader($wsse, 'Security', new SoapVar($text, XSD_ANYXML), true));
        $articles = count($client->ListArticles([])->article ?? []);
    }
    return $articles;
});
run('client-certificate', function () use ($tls, $certs) {
    $context = stream_context_create(['ssl' => ['cafile' => "$certs/ca.pem", 'local_cert' => "$certs/client.pem", 'local_pk' => "$certs/client.key"]]);
    return count(connect($tls, 'Catalog', ['stream_context' => $context])->ListArticles([])->article ?? []);
});

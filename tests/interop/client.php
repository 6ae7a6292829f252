<?php
// Calls the catalogue with PHP's own SoapClient: client.php BASE-URL 1.1|1.2
[, $base, $version] = $argv;
$client = new SoapClient("$base/soap/catalog?wsdl", [
    'soap_version' => $version === '1.1' ? SOAP_1_1 : SOAP_1_2,
    'cache_wsdl' => WSDL_CACHE_NONE,
    'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
]);

function upsert(array ...$articles): void
{
    global $client;
    foreach ($client->UpsertArticles(['article' => $articles])->result as $result) {
        $message = isset($result->message) ? ": {$result->message[0]->code} {$result->message[0]->field}" : '';
        echo "$result->outcome $result->key$message\n";
    }
}

upsert(
    [
        'sku' => 'Ä-1',
        'name' => [['_' => 'Grüße & <Öl> 🎉', 'language' => 'de']],
        'manufacturer' => 'Öl AG',
        'unit' => 'piece',
        'weight' => '123456789012.123456',
        'listPrice' => ['_' => '99999999999999.9999', 'currency' => 'EUR'],
    ],
    ['sku' => 'Ä-2']
);
$found = $client->GetArticle(['sku' => 'Ä-1'])->article;
echo "name {$found->name[0]->language}: {$found->name[0]->_}\n";
echo "weight $found->weight\n";
echo "price {$found->listPrice->_} {$found->listPrice->currency}\n";
echo "manufacturer $found->manufacturer\n";
echo "unit $found->unit\n";
upsert(['sku' => 'Ä-1']);
upsert(['sku' => 'Ä-1', 'manufacturer' => null]);
$found = $client->GetArticle(['sku' => 'Ä-1'])->article;
echo 'manufacturer ', $found->manufacturer ?? 'absent', "\n";
echo "unit $found->unit\n";
upsert(['sku' => 'Ä-3', 'category' => ['no-such']]);
try {
    $client->GetArticle(['sku' => 'Ä-9']);
} catch (SoapFault $fault) {
    $detail = $fault->detail->notFoundFault;
    echo "fault $detail->code $detail->kind $detail->key\n";
}

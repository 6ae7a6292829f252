<?php
// The stock as a server in PHP: php -S ADDRESS stock.php, with the contract in STOCK_WSDL.
const SHELF = ['AB-123' => '7.25', 'AB-124' => '0', 'AB-125' => '0.123456789012345678'];

class Shelf
{
    public function GetStock($request)
    {
        $stock = [];
        foreach ((array) $request->sku as $sku) {
            if (!isset(SHELF[$sku])) {
                throw new SoapFault('Client', "There is no $sku", null, ['sku' => $sku], 'UnknownArticle');
            }
            $stock[] = ['sku' => $sku, 'quantity' => SHELF[$sku]];
        }
        return ['stock' => $stock];
    }
}

$server = new SoapServer(getenv('STOCK_WSDL'), ['cache_wsdl' => WSDL_CACHE_NONE]);
$server->setClass('Shelf');
$server->handle();

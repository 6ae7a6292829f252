# Every case with SOAP::Lite.
use strict;
use warnings;
use utf8;
use open qw(:std :encoding(UTF-8));
use Digest::SHA qw(sha1);
use Encode qw(decode_utf8);
use MIME::Base64 qw(encode_base64);
use POSIX qw(strftime);
use SOAP::Lite;

my ($base, $tls, $certs, $version, $password, $digest_secret) = map { decode_utf8($_) } @ARGV;
my $soap12 = $version eq '1.2';
SOAP::Lite->soapversion($version);
my $catalog_ns = 'urn:soapstone:catalog/v1';
my $exchange_ns = 'urn:soapstone:exchange/v1';
# The certificates of this trial are known here only.
$ENV{PERL_LWP_SSL_CA_FILE} = "$certs/ca.pem";

sub connect_to {
    my ($address, $service, %more) = @_;
    my $client = SOAP::Lite->proxy("$address/soap/" . lc $service, %more);
    my $namespace = $service eq 'Catalog' ? $catalog_ns : $exchange_ns;
    $client->default_ns($namespace);
    $client->on_action(sub { '' });
    $client->autotype(0);
    $client->on_fault(sub { $_[1] });
    return $client;
}

sub element {
    my ($name, $value, %attributes) = @_;
    my $data = SOAP::Data->name($name);
    $data = $data->attr(\%attributes) if %attributes;
    # Without types of its own it escapes nothing.
    $value = SOAP::Utils::encode_data($value) if defined $value && !ref $value;
    return ref $value eq 'ARRAY' ? $data->value(\SOAP::Data->value(@$value)) : $data->value($value);
}

sub run {
    my ($name, $case) = @_;
    my $result = eval { $case->() };
    $result = "died: $@" unless defined $result;
    $result =~ s/\s+/ /g;
    print "$name\t$result\n";
}

sub told {
    my ($answer, $wanted) = @_;
    # It knows the fault of SOAP 1.1 only.
    my $code = ($soap12 ? $answer->valueof('//Fault/Code/Value') : $answer->faultcode) // '';
    $code =~ s/.*://;
    $code = 'Client' if $soap12 && $code eq 'Sender';
    my $message = ($soap12 ? $answer->valueof('//Fault/Reason/Text') : $answer->faultstring) // '';
    return $code . ' ' . (index($message, $wanted) >= 0 ? 'told' : $message);
}

sub utc {
    my ($time) = @_;
    return $time =~ /Z$/ ? $time : "not in UTC: $time";
}

my $client = connect_to($base, 'Catalog');
sub upsert { return $client->call('UpsertArticles', @_) }
sub get { return $client->call('GetArticle', element(sku => $_[0])) }
my $name = 'Grüße & <Öl> 🎉';

run('call', sub {
    my $answer = upsert(element(article => [
        element(sku => 'Ä-1'),
        element(name => $name, language => 'de'),
        element(manufacturer => 'Öl AG'),
        element(unit => 'piece'),
        element(weight => '0.123456789012345678'),
        element(listPrice => '99999999999999.9999', currency => 'EUR'),
        element(activeFrom => '2026-11-24T10:00:00+01:00'),
        element(activeUntil => '2026-12-24T10:00:00'),
    ]));
    return told($answer, 'nothing') if $answer->fault;
    return $answer->valueof('//result/outcome') . ' ' . $answer->valueof('//result/key');
});
my $found = get('Ä-1');
run('text', sub { $found->valueof('//article/name') });
run('decimal', sub { $found->valueof('//article/weight') . ' ' . $found->valueof('//article/listPrice') });
run('times', sub { utc($found->valueof('//article/activeFrom')) . ' ' . utc($found->valueof('//article/activeUntil')) });
run('nil', sub {
    upsert(element(article => [element(sku => 'Ä-1'), element(manufacturer => undef, 'xsi:nil' => 'true')]));
    my $found = get('Ä-1');
    return ($found->valueof('//article/manufacturer') // 'absent') . ' ' . $found->valueof('//article/unit');
});
run('empty', sub { scalar(my @articles = $client->call('ListArticles', element(text => 'nowhere'))->valueof('//article')) });
run('many', sub {
    my $answer = upsert(map { element(article => [element(sku => sprintf 'M-%03d', $_)]) } 0 .. 499);
    my @results = $answer->valueof('//result');
    my @articles = $client->call('ListArticles', element(text => 'M-'), element(limit => 500))->valueof('//article');
    return @results . ' ' . @articles;
});
run('fault', sub {
    my $answer = get('Ä-9');
    my $detail = $soap12 ? '//Detail/notFoundFault' : '//detail/notFoundFault';
    return join ' ', map { $answer->valueof("$detail/$_") } qw(code kind key);
});
run('wrong-type', sub { told(upsert(element(article => [element(sku => 'X'), element(weight => 'heavy')])), 'not valid') });
run('unknown-operation', sub { told($client->call('Nothing'), 'has no operation') });
run('binary', sub {
    my $file = encode_base64("sku\n" . join('', map { sprintf "BINARY-%08d\n", $_ } 0 .. 65535), '');
    my $exchange = connect_to($base, 'Exchange');
    my $answer = $exchange->call('StartImport', element(kind => 'articles'), element(sourceName => 'a.csv'), element(content => $file));
    while ($answer->valueof('//run/state') =~ /^(queued|running)$/) {
        $answer = $exchange->call('GetRun', element(id => $answer->valueof('//run/id')));
    }
    return $answer->valueof('//run/counters/read');
});
run('mtom', sub { 'n/a: SOAP::Lite has no MTOM' });
run('gzip', sub {
    # It compresses requests beyond the threshold, and asks for compressed answers.
    my $client = connect_to($base, 'Catalog', options => { compress_threshold => 100 });
    my $encoding = 'none';
    $client->transport->add_handler(response_done => sub { $encoding = $_[0]->header('content-encoding') // 'none'; return });
    my @articles = $client->call('ListArticles', element(limit => 500))->valueof('//article');
    return @articles ? $encoding : 'no articles';
});

sub token {
    my ($kind, $secret) = @_;
    my $wsse = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd';
    my $wsu = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd';
    my $profile = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0';
    my $created = strftime('%Y-%m-%dT%H:%M:%SZ', gmtime);
    my $nonce = join '', map { chr int rand 256 } 1 .. 16;
    $secret = encode_base64(sha1($nonce . $created . $secret), '') if $kind eq 'PasswordDigest';
    return SOAP::Header->name('wsse:Security')->attr({ 'xmlns:wsse' => $wsse, 'xmlns:wsu' => $wsu })->mustUnderstand(1)->value(
        \SOAP::Header->name('wsse:UsernameToken')->value(\SOAP::Header->value(
            SOAP::Header->name('wsse:Username')->value('erp'),
            SOAP::Header->name('wsse:Password')->attr({ Type => "$profile#$kind" })->value($secret),
            SOAP::Header->name('wsse:Nonce')->value(encode_base64($nonce, '')),
            SOAP::Header->name('wsu:Created')->value($created),
        )));
}

run('username-token', sub {
    my @articles;
    for (['PasswordText', $password], ['PasswordDigest', $digest_secret]) {
        my $answer = connect_to($tls, 'Catalog')->call('ListArticles', token(@$_), element(limit => 500));
        return told($answer, 'nothing') if $answer->fault;
        @articles = $answer->valueof('//article');
    }
    return scalar @articles;
});
run('client-certificate', sub {
    my $client = connect_to($tls, 'Catalog');
    $client->transport->ssl_opts(SSL_cert_file => "$certs/client.pem", SSL_key_file => "$certs/client.key");
    my $answer = $client->call('ListArticles', element(limit => 500));
    return told($answer, 'nothing') if $answer->fault;
    return scalar(my @articles = $answer->valueof('//article'));
});

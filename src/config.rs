//! One typed configuration, from flags, environment and file; every value has a default and says where it is from.

mod files;
mod told;

pub use files::{read_value, setting_of, warning};
pub use told::Told;

use crate::domain::access::Roles;
use crate::domain::basket::Selling;
use crate::domain::customers::{Allocator, Numbering};
use crate::domain::numbers::Range;
use crate::domain::pictures::{NamePattern, Taking};
use crate::domain::pricing::{Policy as PricePolicy, Rate};
use crate::domain::signals::Sending;
use crate::domain::tax::Rates;
use crate::domain::{Defaults, Rules};
use crate::exchange::channels::{Channels, read_folders, read_schedules};
use crate::notices::{Mailing, Notices, Rule, read_rules};
use bigdecimal::BigDecimal;
use chrono::FixedOffset;
use soapstone_runtime::http::{Output, ReplyHosts, TrustedProxies};
use soapstone_runtime::outbound::Outbound;
use soapstone_runtime::service::CertificateField;
use soapstone_runtime::soap::Limits;
use soapstone_runtime::soap::security::Policy;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A value that can be set.
#[derive(Debug)]
pub struct Setting {
    pub key: &'static str,
    pub default: &'static str,
    pub doc: &'static str,
}

/// All values that can be set.
pub const SETTINGS: &[Setting] = &[
    Setting { key: "listen", default: "127.0.0.1:8080", doc: "Address and port to listen on." },
    Setting {
        key: "data-dir",
        default: "soapstone-data",
        doc: "Folder of the embedded database, sources and profiles.",
    },
    Setting {
        key: "database-url",
        default: "",
        doc: "postgres://… for PostgreSQL, or a path for SQLite; empty: soapstone.sqlite in data-dir.",
    },
    Setting {
        key: "secrets-key",
        default: "",
        doc: "Key that secrets in the database are encrypted with: 32 bytes in base64; of several the first one encrypts. Better given as \
              secrets-key-file. Empty: secrets.key in data-dir, made at the first start, for SQLite; none for PostgreSQL.",
    },
    Setting {
        key: "exchange-file-mode",
        default: "",
        doc: "Rights of files that are written for other programs (watched folders, schedules, the Caller), such as 640; empty: what the umask \
              allows. All other files are readable by their owner only.",
    },
    Setting { key: "pool-size", default: "8", doc: "Connections to the database." },
    Setting { key: "workers", default: "0", doc: "Threads that answer requests; 0: one a core." },
    Setting { key: "log", default: "info", doc: "What is logged: error, warn, info, debug, trace, or by module." },
    Setting {
        key: "hot-folders",
        default: "",
        doc: "TOML file of folders that are watched; empty: hot-folders.toml in the data folder, if it is there.",
    },
    Setting {
        key: "schedules",
        default: "",
        doc: "TOML file of what is exported or imported when; empty: schedules.toml in the data folder, if it is there.",
    },
    Setting {
        key: "caller-folder",
        default: "",
        doc: "Folder of the exchange by PepperShop's Caller; empty: caller in the data folder.",
    },
    Setting {
        key: "share-sources",
        default: "true",
        doc: "On PostgreSQL: whether files of runs go through the database, so that all nodes reach them; not needed for one node, or a \
              data folder that all have.",
    },
    Setting {
        key: "notices",
        default: "",
        doc: "TOML file of who is told of which runs; empty: notices.toml in the data folder, if it is there.",
    },
    Setting {
        key: "smtp-server",
        default: "",
        doc: "Mail server of notices, as smtp://USER:PASSWORD@HOST:587?tls=required or smtps://HOST; empty: no e-mail.",
    },
    Setting { key: "smtp-from", default: "", doc: "Who sends e-mail, as Soapstone <soapstone@example.com>." },
    Setting { key: "keep-runs-days", default: "365", doc: "Days for which runs that are done are kept; 0: for ever." },
    Setting {
        key: "keep-files-days",
        default: "90",
        doc: "Days for which files of runs that are done are kept: sources, refused records, results; 0: as long as the runs.",
    },
    Setting { key: "run-workers", default: "2", doc: "How many runs a process works on at once; 0: none, others do." },
    Setting {
        key: "run-attempts",
        default: "3",
        doc: "How often a run that ends the process it runs in is started without making progress, before it is given up; 0: without limit.",
    },
    Setting { key: "runs-per-kind", default: "1", doc: "How many runs of a kind are at work at once, on all nodes." },
    Setting {
        key: "delete-at-most",
        default: "10",
        doc: "Percent of records that a full file may lack and so delete; beyond that, somebody has to approve it.",
    },
    Setting {
        key: "batch-size",
        default: "2000",
        doc: "Records of an import in one transaction, at most: fewer where they take long.",
    },
    Setting {
        key: "export-for-spreadsheets",
        default: "false",
        doc: "Whether exported tables mark cells that a spreadsheet would take for formulas; imports take the marks off again.",
    },
    Setting { key: "audit-days", default: "730", doc: "Days for which lines of the audit log are kept; 0: for ever." },
    Setting { key: "audit-lines", default: "1000000", doc: "Lines of the audit log that are kept; 0: all." },
    Setting { key: "default-language", default: "en", doc: "Language of texts that name none." },
    Setting { key: "default-currency", default: "CHF", doc: "Currency of prices that name none." },
    Setting { key: "default-gross", default: "true", doc: "Whether prices that do not say include tax." },
    Setting { key: "default-warehouse", default: "main", doc: "Warehouse of stocks that name none." },
    Setting { key: "time-zone", default: "+00:00", doc: "Zone of times that name none, as an offset." },
    Setting {
        key: "order-number-range",
        default: "O-100001..O-999999",
        doc: "Where the shop takes numbers from for orders that bring none.",
    },
    Setting {
        key: "signal-first-wait",
        default: "5",
        doc: "Seconds before a signal is sent again; then twice as long.",
    },
    Setting { key: "signal-attempts", default: "20", doc: "How often a signal is sent before it is dead." },
    Setting { key: "signal-timeout", default: "10", doc: "Seconds that a target may take to answer a signal." },
    Setting { key: "signal-days", default: "30", doc: "Days for which signals that were told are remembered." },
    Setting {
        key: "signal-authority",
        default: "",
        doc: "PEM file of an authority that vouches for targets, beside those of the machine.",
    },
    Setting {
        key: "picture-pattern",
        default: "(?<sku>.+?)(?:_(?<position>[0-9]+))?",
        doc: "How names of pictures, without ending, tell articles: a regular expression with sku and position.",
    },
    Setting { key: "picture-smallest", default: "300", doc: "Pixels that the longer side of a picture should have." },
    Setting { key: "picture-workers", default: "0", doc: "Threads that make sizes of pictures; 0: half of the cores." },
    Setting { key: "max-picture", default: "104857600", doc: "Bytes of a picture." },
    Setting {
        key: "picture-memory",
        default: "536870912",
        doc: "Bytes of memory for all pictures that are decoded at once; one that needs more alone is rejected.",
    },
    Setting { key: "max-picture-pixels", default: "100000000", doc: "Pixels of a picture, after decompression." },
    Setting {
        key: "price-policy",
        default: "sequence",
        doc: "Which price counts: sequence (customer, group, campaign, all), or best (the lowest).",
    },
    Setting {
        key: "currency-rates",
        default: "",
        doc: "What prices may be changed by into other currencies, by commas: EUR>CHF=0.9341.",
    },
    Setting { key: "cash-rounding", default: "CHF=0.05", doc: "Smallest coins, by commas; for what is paid in cash." },
    Setting { key: "tax-country", default: "CH", doc: "Where the shop sells to if nobody says, for the rates of tax." },
    Setting {
        key: "tax-rates",
        default: "",
        doc: "TOML file of rates of tax; empty: those that come along (CH, LI, DE, AT, FR, IT).",
    },
    Setting {
        key: "customer-numbers",
        default: "shop",
        doc: "Who allocates customer numbers: shop, erp (the shop's are provisional), or split (each from its range).",
    },
    Setting {
        key: "customer-number-range",
        default: "S-100001..S-999999",
        doc: "Where the shop takes customer numbers from: the first and the last, with prefix and zeros.",
    },
    Setting {
        key: "customer-number-provisional",
        default: "P-100001..P-999999",
        doc: "Where it takes provisional ones from, if the ERP allocates.",
    },
    Setting {
        key: "customer-number-erp-range",
        default: "",
        doc: "Where customer numbers that are brought along must be from; empty: from anywhere but the shop's range.",
    },
    Setting { key: "validate-requests", default: "true", doc: "Whether requests are validated by libxml2." },
    Setting { key: "validate-responses", default: "false", doc: "Whether replies are validated too; for tests." },
    Setting { key: "max-body", default: "67108864", doc: "Bytes of a request, after decompression." },
    Setting { key: "max-upload", default: "4294967296", doc: "Bytes of an uploaded file, after decompression." },
    Setting {
        key: "max-compression-ratio",
        default: "200",
        doc: "How many times larger than its compressed form (gzip, deflate) a request's body may be, beyond 8 MB.",
    },
    Setting {
        key: "body-memory",
        default: "536870912",
        doc: "Bytes of memory for all request bodies and what is parsed of them; more of them wait, and then get 503.",
    },
    Setting { key: "max-unfinished-uploads", default: "100", doc: "Resumable uploads that are not finished, at most." },
    Setting {
        key: "max-unfinished-bytes",
        default: "17179869184",
        doc: "Bytes that resumable uploads which are not finished announce together, at most.",
    },
    Setting { key: "max-depth", default: "100", doc: "How deep elements of a message nest." },
    Setting { key: "max-attributes", default: "500", doc: "Attributes of one element." },
    Setting { key: "max-children", default: "50000", doc: "Children of one element of a message." },
    Setting { key: "max-elements", default: "1000000", doc: "Elements and attributes of a message." },
    Setting { key: "max-name", default: "1024", doc: "Bytes of a name." },
    Setting { key: "max-text", default: "134217728", doc: "Bytes of one text." },
    Setting {
        key: "max-attachments",
        default: "4294967296",
        doc: "Bytes of all attachments of a message (MTOM, SwA).",
    },
    Setting { key: "max-parts", default: "100", doc: "Parts of a message with attachments." },
    Setting { key: "attachment-memory", default: "262144", doc: "Attachments beyond that many bytes go to files." },
    Setting {
        key: "reply-hosts",
        default: "",
        doc: "Hosts that replies may be sent to (WS-Addressing), by commas, as host or host:port.",
    },
    Setting {
        key: "outbound-allow",
        default: "",
        doc: "Internal addresses that may be called (web hooks, signals, notices, replies), by commas: 10.1.0.0/16, erp.local, erp.local:8443; \
              public addresses may be called anyway.",
    },
    Setting {
        key: "tls-certificate",
        default: "",
        doc: "PEM file of the server's certificate with its chain; empty: no TLS.",
    },
    Setting { key: "tls-key", default: "", doc: "PEM file of its key." },
    Setting { key: "tls-client-authority", default: "", doc: "PEM file of those who issue clients' certificates." },
    Setting {
        key: "tls-client-crl",
        default: "",
        doc: "PEM file of revocation lists for clients' certificates, one of each issuer; an expired list rejects all of its issuer. Empty: \
              revocation is not checked.",
    },
    Setting {
        key: "tls-client-certificates",
        default: "none",
        doc: "Whether clients need a certificate: none, optional, required.",
    },
    Setting {
        key: "certificate-field",
        default: "common-name",
        doc: "Field of a certificate that users are known by: common-name, subject (all of it, RFC 4514), email, dns, uri or upn (alternative \
              names), fingerprint (SHA-256).",
    },
    Setting {
        key: "hsts-seconds",
        default: "31536000",
        doc: "Seconds for which browsers that reached the server by TLS use nothing else (Strict-Transport-Security); 0: the header is not sent.",
    },
    Setting {
        key: "http2",
        default: "false",
        doc: "Whether HTTP/2 is offered over TLS. The library has a known fault by which clients can fill the memory (RUSTSEC-2026-0258): only \
              for clients that are trusted.",
    },
    Setting {
        key: "security-certificate",
        default: "",
        doc: "PEM file of the certificate that replies are signed with, and requests encrypted for (WS-Security).",
    },
    Setting { key: "security-key", default: "", doc: "PEM file of its key." },
    Setting {
        key: "security-authority",
        default: "",
        doc: "PEM file of those whose signatures of messages count, or who issue their certificates.",
    },
    Setting {
        key: "security-crl",
        default: "",
        doc: "PEM file of revocation lists for signers' certificates, one of each issuer; an expired list rejects all of its issuer. Empty: \
              revocation is not checked.",
    },
    Setting {
        key: "security-policies",
        default: "",
        doc: "How SOAP messages have to be secured, by commas: NAME=signature encryption username-token digest.",
    },
    Setting {
        key: "soap-output",
        default: "",
        doc: "How replies are written for fussy clients, by commas: NAME=xsi-type pretty fault-500 mtom soap=SOAP-ENV.",
    },
    Setting {
        key: "roles",
        default: "",
        doc: "Roles beside viewer, operator and admin, by commas: NAME=Catalog.Get* Catalog.UpsertArticles.",
    },
    Setting {
        key: "capture-clients",
        default: "",
        doc: "Whose messages are kept to look at, by commas: names of users, addresses, or * for all.",
    },
    Setting { key: "capture-bytes", default: "65536", doc: "How much of each message is kept." },
    Setting { key: "capture-messages", default: "10000", doc: "How many messages are kept." },
    Setting { key: "capture-days", default: "7", doc: "For how many days messages are kept." },
    Setting {
        key: "capture-secrets",
        default: "password nonce secret token apikey api-key authorization pin iban cvv BinarySecurityToken",
        doc: "Elements and members whose content is not kept, by their names, separated by blanks.",
    },
    Setting {
        key: "insecure",
        default: "false",
        doc: "Whether the server may listen on other addresses than this machine's own though it has no users.",
    },
    Setting {
        key: "allowed-hosts",
        default: "",
        doc: "Names of this server beside localhost, by commas: as long as it has no users it answers to no other, and pages of no other may change anything.",
    },
    Setting { key: "trusted-proxies", default: "", doc: "Addresses whose X-Forwarded headers count, by commas." },
];

/// Whether clients show certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificates {
    None,
    Optional,
    Required,
}

/// How the server speaks TLS: PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub client_authority: Option<PathBuf>,
    /// Revocation lists of the authorities.
    pub client_crl: Option<PathBuf>,
    pub client_certificates: ClientCertificates,
    /// Whether HTTP/2 is offered beside HTTP/1.1.
    pub http2: bool,
}

/// How SOAP messages are secured: PEM files, and what is wanted by service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageSecurity {
    /// Certificate and key.
    pub own: Option<(PathBuf, PathBuf)>,
    pub authority: Option<PathBuf>,
    /// Revocation lists of the authorities.
    pub crl: Option<PathBuf>,
    pub policies: BTreeMap<String, Policy>,
}

/// Which messages are kept, and how much of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// Names of users, addresses, or `*`.
    pub clients: Vec<String>,
    /// Of each message.
    pub bytes: usize,
    pub messages: i64,
    pub days: u16,
    /// Names of what is not kept, separated by blanks.
    pub secrets: String,
}

/// Where a value is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    File(PathBuf),
    Environment(String),
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(name) => write!(f, "${name}"),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// A configuration that cannot be used: what, where from, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "configuration: {}", self.0)
    }
}

impl std::error::Error for ConfigError {}

/// The configuration.
#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    pub database_url: String,
    /// Keys for secrets, as text.
    pub secrets_key: String,
    /// The mode of files for other programs; none: by the umask.
    pub exchange_file_mode: Option<u32>,
    pub pool_size: u32,
    pub workers: usize,
    pub log: String,
    pub batch_size: usize,
    pub delete_at_most: i32,
    /// Folders that are watched, and schedules.
    pub channels: Channels,
    /// The folder of the exchange by the Caller.
    pub caller_folder: PathBuf,
    /// Who is told of which runs.
    pub notices: Notices,
    /// For how many days runs, and their files, are kept; 0: for ever.
    pub keep_runs_days: u32,
    pub keep_files_days: u32,
    /// Whether files of runs go through the database.
    pub shares_sources: bool,
    /// How many runs a process works on at once.
    pub run_workers: usize,
    /// How many runs of a kind are at work at once.
    pub runs_per_kind: usize,
    pub run_attempts: i32,
    /// Whether exported tables mark what a spreadsheet would take for a formula.
    pub export_for_spreadsheets: bool,
    /// For how many days, and how many, lines of the audit log are kept; 0: all.
    pub audit_days: u32,
    pub audit_lines: u32,
    pub rules: Arc<Rules>,
    pub sending: Sending,
    pub picture_workers: usize,
    pub validate_requests: bool,
    pub validate_responses: bool,
    pub limits: Limits,
    pub max_upload: u64,
    pub max_compression_ratio: u64,
    /// Bytes for all request bodies in memory.
    pub body_memory: u64,
    pub max_unfinished_uploads: usize,
    pub max_unfinished_bytes: u64,
    /// None: HTTP without TLS.
    pub tls: Option<Tls>,
    pub message_security: MessageSecurity,
    /// The field of a certificate that users are known by.
    pub certificate_field: CertificateField,
    /// For `Strict-Transport-Security`; 0: it is not sent.
    pub hsts_seconds: u32,
    pub capture: Capture,
    /// By service.
    pub outputs: BTreeMap<String, Output>,
    pub insecure: bool,
    pub roles: Roles,
    pub reply_hosts: ReplyHosts,
    pub max_attachments: u64,
    pub max_parts: usize,
    pub attachment_memory: usize,
    pub trusted_proxies: TrustedProxies,
    /// Host names, with or without a port.
    pub allowed_hosts: Vec<String>,
    /// Every value as text, with where it is from.
    pub values: BTreeMap<&'static str, (String, Origin)>,
    /// What is not wrong, but should be changed.
    pub warnings: Vec<String>,
}

impl Config {
    /// Puts the configuration together: flags go before the environment, that before the file, that before defaults.
    ///
    /// # Errors
    /// Which value is wrong, where it is from, and what would be right.
    pub fn load(file: Option<&Path>, flags: &BTreeMap<&'static str, String>) -> Result<Self, ConfigError> {
        let mut values: BTreeMap<&'static str, (String, Origin)> =
            SETTINGS.iter().map(|s| (s.key, (s.default.to_owned(), Origin::Default))).collect();
        let standard = Path::new("soapstone.toml");
        let mut warnings = Vec::new();
        if let Some(path) = file.or_else(|| standard.is_file().then_some(standard)) {
            read_file(path, &mut values, &mut warnings)?;
        }
        for setting in SETTINGS {
            let name = format!("SOAPSTONE_{}", setting.key.replace('-', "_").to_uppercase());
            let in_file = format!("{name}_FILE");
            let (plain, path) = (std::env::var(&name).ok(), std::env::var_os(&in_file));
            match (plain, path) {
                (Some(plain), Some(_)) if !plain.is_empty() => {
                    return Err(ConfigError(format!("{name} and {in_file} are both set; set one of them")));
                }
                (_, Some(path)) => {
                    let path = PathBuf::from(path);
                    let value = read_value(&path).map_err(|e| ConfigError(format!("{in_file}: {}", e.0)))?;
                    warnings.extend(warning(&path));
                    values.insert(setting.key, (value, Origin::Environment(in_file)));
                }
                (Some(plain), None) => drop(values.insert(setting.key, (plain, Origin::Environment(name)))),
                (None, None) => {}
            }
        }
        for (key, value) in flags {
            values.insert(key, (value.clone(), Origin::Flag));
        }
        let mut config = Self::of(values)?;
        warnings.append(&mut config.warnings);
        config.warnings = warnings;
        Ok(config)
    }

    fn of(values: BTreeMap<&'static str, (String, Origin)>) -> Result<Self, ConfigError> {
        let reader = Values(&values);
        let mut warnings = Vec::new();
        let data_dir = PathBuf::from(reader.text("data-dir"));
        let database_url = match reader.text("database-url") {
            "" => data_dir.join("soapstone.sqlite").to_string_lossy().into_owned(),
            url => url.to_owned(),
        };
        Ok(Self {
            listen: reader.parsed("listen", "an address with a port, such as 127.0.0.1:8080")?,
            secrets_key: reader.text("secrets-key").to_owned(),
            exchange_file_mode: reader.file_mode("exchange-file-mode")?,
            pool_size: reader.at_least("pool-size", 1)?,
            workers: reader.parsed("workers", "a whole number")?,
            log: reader.text("log").to_owned(),
            batch_size: reader.at_least("batch-size", 1)?,
            delete_at_most: reader.percent("delete-at-most")?,
            channels: Channels {
                folders: reader.listed_in("hot-folders", &data_dir, read_folders)?,
                schedules: reader.listed_in("schedules", &data_dir, read_schedules)?,
            },
            caller_folder: match reader.text("caller-folder") {
                "" => data_dir.join("caller"),
                folder => PathBuf::from(folder),
            },
            notices: Notices { rules: reader.notices(&data_dir, &mut warnings)?, mailing: reader.mailing()? },
            keep_runs_days: reader.parsed("keep-runs-days", "a number of days")?,
            keep_files_days: reader.parsed("keep-files-days", "a number of days")?,
            shares_sources: reader.parsed("share-sources", "true or false")?,
            run_workers: reader.parsed("run-workers", "a whole number")?,
            runs_per_kind: reader.at_least("runs-per-kind", 1)?,
            run_attempts: reader.parsed("run-attempts", "a whole number")?,
            export_for_spreadsheets: reader.parsed("export-for-spreadsheets", "true or false")?,
            audit_days: reader.parsed("audit-days", "a number of days")?,
            audit_lines: reader.parsed("audit-lines", "a whole number")?,
            rules: Arc::new(reader.rules()?),
            sending: reader.sending()?,
            picture_workers: reader.parsed("picture-workers", "a whole number")?,
            validate_requests: reader.parsed("validate-requests", "true or false")?,
            validate_responses: reader.parsed("validate-responses", "true or false")?,
            limits: Limits {
                body: reader.parsed("max-body", "a number of bytes")?,
                depth: reader.parsed("max-depth", "a whole number")?,
                attributes: reader.parsed("max-attributes", "a whole number")?,
                children: reader.parsed("max-children", "a whole number")?,
                elements: reader.parsed("max-elements", "a whole number")?,
                name: reader.parsed("max-name", "a number of bytes")?,
                text: reader.parsed("max-text", "a number of bytes")?,
            },
            max_upload: reader.parsed("max-upload", "a number of bytes")?,
            max_compression_ratio: reader.at_least("max-compression-ratio", 1)?,
            body_memory: reader.parsed("body-memory", "a number of bytes")?,
            max_unfinished_uploads: reader.at_least("max-unfinished-uploads", 1)?,
            max_unfinished_bytes: reader.parsed("max-unfinished-bytes", "a number of bytes")?,
            tls: reader.tls()?,
            message_security: reader.message_security()?,
            certificate_field: reader
                .text("certificate-field")
                .parse()
                .map_err(|why| ConfigError(format!("certificate-field: {why}")))?,
            hsts_seconds: reader.parsed("hsts-seconds", "a number of seconds")?,
            outputs: reader.by_service("soap-output", "Catalog=pretty xsi-type")?,
            capture: Capture {
                clients: reader.list("capture-clients"),
                bytes: reader.parsed("capture-bytes", "a number of bytes")?,
                messages: reader.at_least("capture-messages", 1)?,
                days: reader.at_least("capture-days", 1)?,
                secrets: reader.text("capture-secrets").to_owned(),
            },
            roles: reader.roles()?,
            insecure: reader.parsed("insecure", "true or false")?,
            reply_hosts: ReplyHosts { hosts: reader.list("reply-hosts"), outbound: reader.outbound()? },
            max_attachments: reader.parsed("max-attachments", "a number of bytes")?,
            max_parts: reader.at_least("max-parts", 1)?,
            attachment_memory: reader.parsed("attachment-memory", "a number of bytes")?,
            trusted_proxies: TrustedProxies(reader.addresses("trusted-proxies")?),
            allowed_hosts: reader.list("allowed-hosts"),
            data_dir,
            database_url,
            values,
            warnings,
        })
    }
}

fn more_than_nothing(text: &str) -> Option<BigDecimal> {
    text.trim().parse().ok().filter(|factor| *factor > BigDecimal::default())
}

/// Reads typed values, and tells of a wrong one where it is from.
struct Values<'a>(&'a BTreeMap<&'static str, (String, Origin)>);

impl Values<'_> {
    fn text(&self, key: &str) -> &str {
        self.0.get(key).map_or("", |(value, _)| value.as_str())
    }

    fn wrong(&self, key: &str, wanted: &str) -> ConfigError {
        let (value, origin) = self.0.get(key).cloned().unwrap_or((String::new(), Origin::Default));
        ConfigError(format!("{key} is \"{value}\" (from {origin}), but must be {wanted}"))
    }

    fn parsed<T: std::str::FromStr>(&self, key: &str, wanted: &str) -> Result<T, ConfigError> {
        self.text(key).trim().parse().map_err(|_| self.wrong(key, wanted))
    }

    fn selling(&self) -> Result<Selling, ConfigError> {
        let policy = match self.text("price-policy") {
            "sequence" => PricePolicy::Sequence,
            "best" => PricePolicy::Best,
            _ => return Err(self.wrong("price-policy", "sequence or best")),
        };
        let rate = |text: &String| {
            let (pair, factor) = text.split_once('=')?;
            let (from, to) = pair.split_once('>')?;
            Some(Rate { from: from.trim().to_owned(), to: to.trim().to_owned(), factor: more_than_nothing(factor)? })
        };
        let rates = self.list("currency-rates").iter().map(rate).collect::<Option<Vec<_>>>();
        let coin = |text: &String| {
            let (currency, coin) = text.split_once('=')?;
            Some((currency.trim().to_owned(), more_than_nothing(coin)?))
        };
        let coins = self.list("cash-rounding").iter().map(coin).collect::<Option<_>>();
        let tax = match self.text("tax-rates") {
            "" => Rates::shipped(),
            path => {
                Rates::read(&std::fs::read_to_string(path).map_err(|e| ConfigError(format!("tax-rates: {path}: {e}")))?)
            }
        };
        Ok(Selling {
            policy,
            rates: rates.ok_or_else(|| self.wrong("currency-rates", "such as EUR>CHF=0.9341"))?,
            country: self.text("tax-country").to_owned(),
            tax: Arc::new(tax.map_err(|why| ConfigError(format!("tax-rates: {why}")))?),
            coins: coins.ok_or_else(|| self.wrong("cash-rounding", "such as CHF=0.05"))?,
        })
    }

    fn mailing(&self) -> Result<Mailing, ConfigError> {
        let server = Some(self.text("smtp-server").to_owned()).filter(|server| !server.is_empty());
        let from = match self.text("smtp-from") {
            "" if server.is_some() => return Err(self.wrong("smtp-from", "an address, as there is a mail server")),
            "" => None,
            _ => Some(self.parsed("smtp-from", "an address such as Soapstone <soapstone@example.com>")?),
        };
        Ok(Mailing { server, from })
    }

    /// What is listed in a file of its own, which may be missing where nobody names it.
    fn listed_in<T>(
        &self,
        key: &str,
        data_dir: &Path,
        read: fn(&str) -> Result<Vec<T>, String>,
    ) -> Result<Vec<T>, ConfigError> {
        let standard = data_dir.join(format!("{key}.toml"));
        let path = match self.text(key) {
            "" if !standard.is_file() => return Ok(Vec::new()),
            "" => standard,
            path => PathBuf::from(path),
        };
        let wrong = |why: String| ConfigError(format!("{key}: {}: {why}", path.display()));
        let text = std::fs::read_to_string(&path).map_err(|e| wrong(e.to_string()))?;
        read(&text).map_err(wrong)
    }

    fn range(&self, key: &str) -> Result<Range, ConfigError> {
        self.text(key).parse().map_err(|why| self.wrong(key, &format!("a range such as S-0001..S-9999: {why}")))
    }

    fn sending(&self) -> Result<Sending, ConfigError> {
        let authority = match self.text("signal-authority") {
            "" => None,
            path => Some(std::fs::read(path).map_err(|e| ConfigError(format!("signal-authority: {path}: {e}")))?),
        };
        Ok(Sending {
            first_wait: self.seconds("signal-first-wait")?,
            attempts: self.at_least("signal-attempts", 1)?,
            timeout: self.seconds("signal-timeout")?,
            days: self.at_least("signal-days", 1)?,
            authority,
            outbound: self.outbound()?,
        })
    }

    /// The rules of notices, with the secrets that are in files of their own.
    fn notices(&self, data_dir: &Path, warnings: &mut Vec<String>) -> Result<Vec<Rule>, ConfigError> {
        let outbound = self.outbound()?;
        let mut rules = self.listed_in("notices", data_dir, read_rules)?;
        for rule in &mut rules {
            let wrong = |why: &dyn fmt::Display| format!("notices: the rule \"{}\": {why}", rule.name);
            if let Some(Err(denied)) = rule.url.as_ref().map(|url| outbound.endpoint(url)) {
                warnings.push(wrong(&format!("{denied}; {}", denied.help())));
            }
            if let Some(path) = &rule.secret_file {
                let secret = read_value(path).map_err(|e| ConfigError(wrong(&e.0)))?;
                warnings.extend(warning(path));
                rule.secret = Some(secret);
            }
        }
        Ok(rules)
    }

    fn outbound(&self) -> Result<Outbound, ConfigError> {
        self.text("outbound-allow").parse().map_err(|why| ConfigError(format!("outbound-allow: {why}")))
    }

    fn file_mode(&self, key: &str) -> Result<Option<u32>, ConfigError> {
        let text = self.text(key).trim();
        if text.is_empty() {
            return Ok(None);
        }
        let mode = u32::from_str_radix(text, 8).ok().filter(|mode| mode & !0o666 == 0 && mode & 0o600 == 0o600);
        mode.map(Some)
            .ok_or_else(|| self.wrong(key, "three octal digits that let the owner read and write, such as 640"))
    }

    fn seconds(&self, key: &str) -> Result<Duration, ConfigError> {
        let wanted = "a number of seconds, more than 0 and at most a day, such as 5 or 0.5";
        let seconds: f64 = self.parsed(key, wanted)?;
        let is_right = seconds > 0.0 && seconds <= 86400.0;
        Duration::try_from_secs_f64(seconds).ok().filter(|_| is_right).ok_or_else(|| self.wrong(key, wanted))
    }

    fn percent(&self, key: &str) -> Result<i32, ConfigError> {
        let percent: i32 = self.parsed(key, "a whole number from 0 to 100")?;
        if (0..=100).contains(&percent) { Ok(percent) } else { Err(self.wrong(key, "a whole number from 0 to 100")) }
    }

    fn rules(&self) -> Result<Rules, ConfigError> {
        Ok(Rules {
            defaults: Defaults {
                language: self.text("default-language").to_owned(),
                currency: self.text("default-currency").to_owned(),
                gross: self.parsed("default-gross", "true or false")?,
                warehouse: self.text("default-warehouse").to_owned(),
                zone: self.parsed::<FixedOffset>("time-zone", "an offset such as +01:00")?,
            },
            numbering: self.numbering()?,
            selling: self.selling()?,
            order_numbers: self.range("order-number-range")?,
            pictures: Taking {
                pattern: NamePattern::read(self.text("picture-pattern")).map_err(|why| {
                    self.wrong("picture-pattern", &format!("such as (?<sku>[^_]+)_(?<position>[0-9]+): {why}"))
                })?,
                smallest: self.parsed("picture-smallest", "a number of pixels")?,
                most_pixels: self.at_least("max-picture-pixels", 1)?,
                most_bytes: self.at_least("max-picture", 1)?,
                memory: self.at_least("picture-memory", 1)?,
            },
        })
    }

    fn numbering(&self) -> Result<Numbering, ConfigError> {
        let allocator: Allocator = self.parsed("customer-numbers", "shop, erp or split")?;
        let own = self.range(match allocator {
            Allocator::Shop | Allocator::Split => "customer-number-range",
            Allocator::Erp => "customer-number-provisional",
        })?;
        let key = "customer-number-erp-range";
        let given = if self.text(key).is_empty() { None } else { Some(self.range(key)?) };
        Numbering::new(allocator, own, given).map_err(|why| ConfigError(format!("customer-numbers: {why}")))
    }

    fn at_least<T: std::str::FromStr + PartialOrd + fmt::Display>(
        &self,
        key: &str,
        least: T,
    ) -> Result<T, ConfigError> {
        let wanted = format!("a whole number, at least {least}");
        let value: T = self.parsed(key, &wanted)?;
        if value < least { Err(self.wrong(key, &wanted)) } else { Ok(value) }
    }

    fn path(&self, key: &str) -> Option<PathBuf> {
        Some(self.text(key)).filter(|text| !text.is_empty()).map(PathBuf::from)
    }

    fn roles(&self) -> Result<Roles, ConfigError> {
        let wrong = |why: String| ConfigError(format!("roles: {why}"));
        let roles = Roles::read(self.text("roles")).map_err(wrong)?;
        roles.check(&crate::http::known_operations()).map_err(wrong)?;
        Ok(roles)
    }

    fn tls(&self) -> Result<Option<Tls>, ConfigError> {
        let client_certificates = match self.text("tls-client-certificates") {
            "none" => ClientCertificates::None,
            "optional" => ClientCertificates::Optional,
            "required" => ClientCertificates::Required,
            _ => return Err(self.wrong("tls-client-certificates", "none, optional or required")),
        };
        let Some(certificate) = self.path("tls-certificate") else { return Ok(None) };
        let key = self.path("tls-key").ok_or_else(|| self.wrong("tls-key", "the file of the certificate's key"))?;
        let http2 = self.parsed("http2", "true or false")?;
        let client_authority = self.path("tls-client-authority");
        let client_crl = self.path("tls-client-crl");
        if client_crl.is_some() && client_authority.is_none() {
            return Err(self.wrong("tls-client-authority", "the file of those who issue clients' certificates"));
        }
        if client_certificates != ClientCertificates::None && client_authority.is_none() {
            return Err(self.wrong("tls-client-authority", "the file of those who issue clients' certificates"));
        }
        Ok(Some(Tls { certificate, key, client_authority, client_crl, client_certificates, http2 }))
    }

    fn message_security(&self) -> Result<MessageSecurity, ConfigError> {
        let own = match (self.path("security-certificate"), self.path("security-key")) {
            (None, _) => None,
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (Some(_), None) => return Err(self.wrong("security-key", "the file of the certificate's key")),
        };
        let authority = self.path("security-authority");
        let crl = self.path("security-crl");
        if crl.is_some() && authority.is_none() {
            return Err(self.wrong("security-authority", "the file of those who issue signers' certificates"));
        }
        let mut policies = BTreeMap::new();
        for (name, policy) in self.by_service::<Policy>("security-policies", "Catalog=signature encryption")? {
            if policy.signature && (own.is_none() || authority.is_none()) {
                return Err(self.wrong(
                    "security-policies",
                    "without signatures, or security-certificate, security-key and \
                     security-authority must be set",
                ));
            }
            policies.insert(name, policy);
        }
        Ok(MessageSecurity { own, authority, crl, policies })
    }

    /// What is set by service: `NAME=WORDS`, by commas.
    fn by_service<T: std::str::FromStr<Err = String>>(
        &self,
        key: &str,
        example: &str,
    ) -> Result<BTreeMap<String, T>, ConfigError> {
        let one = |text: &String| {
            let wanted = format!("names of services with words, by commas, such as {example}");
            let (name, words) = text.split_once('=').ok_or_else(|| self.wrong(key, &wanted))?;
            let value = words.parse().map_err(|why| ConfigError(format!("{key}: {why}")))?;
            Ok((name.trim().to_owned(), value))
        };
        self.list(key).iter().map(one).collect()
    }

    fn list(&self, key: &str) -> Vec<String> {
        self.text(key).split(',').map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned).collect()
    }

    fn addresses(&self, key: &str) -> Result<Vec<IpAddr>, ConfigError> {
        self.list(key).iter().map(|p| p.parse().map_err(|_| self.wrong(key, "addresses separated by commas"))).collect()
    }
}

fn read_file(
    path: &Path,
    values: &mut BTreeMap<&'static str, (String, Origin)>,
    warnings: &mut Vec<String>,
) -> Result<(), ConfigError> {
    let wrong = |why: String| ConfigError(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| wrong(e.to_string()))?;
    for (key, value) in &table {
        let is_in_file = setting_of(key).is_some();
        let known = setting_of(key).or_else(|| SETTINGS.iter().map(|s| s.key).find(|known| known == key));
        let Some(setting) = known else {
            let known: Vec<_> = SETTINGS.iter().map(|s| s.key).collect();
            return Err(wrong(format!("\"{key}\" is not known; known are {}", known.join(", "))));
        };
        if is_in_file && table.contains_key(setting) {
            return Err(wrong(format!("{setting} and {key} are both set; set one of them")));
        }
        let text = match value {
            toml::Value::String(text) => text.clone(),
            toml::Value::Array(items) => items
                .iter()
                .map(|i| i.as_str().map_or_else(|| i.to_string(), str::to_owned))
                .collect::<Vec<_>>()
                .join(","),
            other => other.to_string(),
        };
        let (text, origin) = if is_in_file {
            let value = read_value(Path::new(&text)).map_err(|e| wrong(format!("{key}: {}", e.0)))?;
            warnings.extend(warning(Path::new(&text)));
            (value, Origin::File(PathBuf::from(text)))
        } else {
            (text, Origin::File(path.to_owned()))
        };
        values.insert(setting, (text, origin));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_valid() {
        let config = Config::load(None, &BTreeMap::new()).unwrap();
        assert!(config.listen.ip().is_loopback());
        assert!(config.database_url.ends_with("soapstone.sqlite"));
    }

    #[test]
    fn a_wrong_value_is_told_with_its_origin() {
        let flags = BTreeMap::from([("listen", "nowhere".to_owned())]);
        let error = Config::load(None, &flags).unwrap_err();
        assert_eq!(
            error.to_string(),
            "configuration: listen is \"nowhere\" (from flag), but must be an address with a port, such as 127.0.0.1:8080"
        );
    }

    #[test]
    fn the_file_counts_less_than_flags() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("soapstone.toml");
        std::fs::write(&path, "listen = \"127.0.0.1:1\"\nbatch-size = 7\ntrusted-proxies = [\"127.0.0.1\"]\n").unwrap();
        let flags = BTreeMap::from([("listen", "127.0.0.1:2".to_owned())]);
        let config = Config::load(Some(&path), &flags).unwrap();
        assert_eq!((config.listen.port(), config.batch_size), (2, 7));
        assert_eq!(config.trusted_proxies.0.len(), 1);
        std::fs::write(&path, "lissten = 1\n").unwrap();
        assert!(Config::load(Some(&path), &BTreeMap::new()).unwrap_err().0.contains("lissten"));
    }
}

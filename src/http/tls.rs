//! TLS by openssl: certificates that are read anew when their files change, and certificates of clients.

use crate::config::{ClientCertificates, Tls};
use actix_tls::accept::openssl::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{
    AlpnError, SslAcceptor, SslAcceptorBuilder, SslContext, SslMethod, SslVerifyMode, SslVersion, select_next_proto,
};
use soapstone_runtime::service::Certificate;
use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// HTTP/2 before HTTP/1.1, as ALPN wants it written.
const PROTOCOLS: &[u8] = b"\x02h2\x08http/1.1";

/// An acceptor that follows its files.
///
/// # Errors
/// Which file is wrong, and why.
pub(super) fn acceptor(tls: &Tls) -> Result<SslAcceptorBuilder, String> {
    let mut builder = builder(tls)?;
    let current = Arc::new(RwLock::new(self::builder(tls)?.build().into_context()));
    follow(tls.clone(), Arc::clone(&current));
    builder.set_servername_callback(move |ssl, _alert| {
        let context = current.read().unwrap_or_else(PoisonError::into_inner);
        // Where the new one cannot be taken, the first one is as good.
        if let Err(error) = ssl.set_ssl_context(&context) {
            log::warn!("the present certificate cannot be used: {error}");
        }
        Ok(())
    });
    Ok(builder)
}

/// Protocols and ciphers that Mozilla calls intermediate: TLS 1.2 and 1.3.
fn builder(tls: &Tls) -> Result<SslAcceptorBuilder, String> {
    let failed = |what: &str, path: &Path, error: &ErrorStack| {
        format!(
            "{what} {}: {}",
            path.display(),
            error.errors().first().map_or("it cannot be read".to_owned(), ToString::to_string)
        )
    };
    let plain = |error: ErrorStack| format!("TLS cannot be set up: {error}");
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).map_err(plain)?;
    builder.set_min_proto_version(Some(SslVersion::TLS1_2)).map_err(plain)?;
    builder
        .set_certificate_chain_file(&tls.certificate)
        .map_err(|e| failed("the certificate", &tls.certificate, &e))?;
    let key = std::fs::read(&tls.key).map_err(|e| format!("the key {}: {e}", tls.key.display()))?;
    let key = PKey::private_key_from_pem(&key).map_err(|e| failed("the key", &tls.key, &e))?;
    builder.set_private_key(&key).map_err(|_| {
        format!("the key {} is not that of the certificate {}", tls.key.display(), tls.certificate.display())
    })?;
    if let Some(authority) = &tls.client_authority {
        builder.set_ca_file(authority).map_err(|e| failed("the certificate authority of clients", authority, &e))?;
    }
    builder.set_verify(match tls.client_certificates {
        ClientCertificates::None => SslVerifyMode::NONE,
        ClientCertificates::Optional => SslVerifyMode::PEER,
        ClientCertificates::Required => SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT,
    });
    builder.set_session_id_context(b"soapstone").map_err(plain)?;
    builder.set_alpn_select_callback(|_, offered| select_next_proto(PROTOCOLS, offered).ok_or(AlpnError::NOACK));
    Ok(builder)
}

/// Reads the files again when they change; what is wrong then is told, and the old ones serve on.
fn follow(tls: Tls, current: Arc<RwLock<SslContext>>) {
    let files: Vec<PathBuf> = [&tls.certificate, &tls.key].into_iter().chain(&tls.client_authority).cloned().collect();
    let changed = move || -> Vec<Option<SystemTime>> {
        files.iter().map(|file| std::fs::metadata(file).and_then(|m| m.modified()).ok()).collect()
    };
    let mut known = changed();
    let look = move || {
        loop {
            std::thread::sleep(LOOK);
            let now = changed();
            if now == known {
                continue;
            }
            match builder(&tls) {
                Ok(builder) => {
                    *current.write().unwrap_or_else(PoisonError::into_inner) = builder.build().into_context();
                    log::info!("the certificate {} is read anew", tls.certificate.display());
                    known = now;
                }
                // A pair of files is seldom written at once: it is tried again.
                Err(why) => log::warn!("the certificates changed, but cannot be used: {why}"),
            }
        }
    };
    if let Err(error) = std::thread::Builder::new().name("certificates".to_owned()).spawn(look) {
        log::warn!("changes of certificates are not followed: {error}");
    }
}

/// Keeps the client's certificate, which was verified, with its connection.
pub(super) fn remember(connection: &dyn Any, data: &mut Extensions) {
    let Some(tls) = connection.downcast_ref::<TlsStream<TcpStream>>() else { return };
    if let Some(certificate) = tls.ssl().peer_certificate() {
        data.insert(Certificate::of(&certificate));
    }
}

//! TLS by openssl: certificates that are read anew when their files change, and certificates of clients.

use super::reload::follow;
use crate::config::{ClientCertificates, Tls};
use crate::revocation::Revoked;
use actix_tls::accept::openssl::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{
    AlpnError, SniError, SslAcceptor, SslAcceptorBuilder, SslMethod, SslOptions, SslSessionCacheMode, SslVerifyMode,
    SslVersion, select_next_proto,
};
use soapstone_runtime::service::Certificate;
use soapstone_runtime::soap::security::check_revocation;
use std::any::Any;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

/// HTTP/2 before HTTP/1.1, in the format of ALPN.
const WITH_HTTP2: &[u8] = b"\x02h2\x08http/1.1";

/// HTTP/1.1 alone.
const HTTP1_ONLY: &[u8] = b"\x08http/1.1";

/// An acceptor that follows its files.
///
/// # Errors
/// Which file is wrong, and why.
pub(super) fn acceptor(tls: &Tls, revoked: Arc<Revoked>) -> Result<SslAcceptorBuilder, String> {
    let mut builder = builder(tls)?;
    let current = Arc::new(RwLock::new(self::builder(tls)?.build().into_context()));
    if let Some(list) = &tls.client_crl {
        revoked.reload(list)?;
    }
    let files = [&tls.certificate, &tls.key].into_iter().chain(&tls.client_authority).chain(&tls.client_crl);
    let (files, tls, next) = (files.cloned().collect(), tls.clone(), Arc::clone(&current));
    follow("the TLS certificates", files, move || {
        let context = self::builder(&tls)?.build().into_context();
        if let Some(list) = &tls.client_crl {
            revoked.reload(list)?;
        }
        *next.write().unwrap_or_else(PoisonError::into_inner) = context;
        Ok(())
    });
    builder.set_servername_callback(move |ssl, _alert| {
        let context = current.read().unwrap_or_else(PoisonError::into_inner);
        // The first context stays unused: actix-web lets it offer HTTP/2.
        ssl.set_ssl_context(&context).map_err(|error| {
            log::error!("Failed to use the current certificate: {error}");
            SniError::ALERT_FATAL
        })
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
    if let Some(list) = &tls.client_crl {
        check_revocation(builder.cert_store_mut(), list).map_err(|e| failed("the revocation list", list, &e))?;
    }
    if tls.client_certificates != ClientCertificates::None {
        // OpenSSL rejects certificates whose key usage or extended key usage excludes clients (clientAuth). It verifies in full handshakes
        // only: a session that is resumed would go past a new revocation list.
        builder.set_session_cache_mode(SslSessionCacheMode::OFF);
        builder.set_options(SslOptions::NO_TICKET);
        builder.set_num_tickets(0).map_err(plain)?;
    }
    builder.set_verify(match tls.client_certificates {
        ClientCertificates::None => SslVerifyMode::NONE,
        ClientCertificates::Optional => SslVerifyMode::PEER,
        ClientCertificates::Required => SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT,
    });
    builder.set_session_id_context(b"soapstone").map_err(plain)?;
    let protocols = if tls.http2 { WITH_HTTP2 } else { HTTP1_ONLY };
    builder.set_alpn_select_callback(move |_, offered| select_next_proto(protocols, offered).ok_or(AlpnError::NOACK));
    Ok(builder)
}

/// Keeps the client's certificate, which was verified, with its connection.
pub(super) fn remember(connection: &dyn Any, data: &mut Extensions) {
    let Some(tls) = connection.downcast_ref::<TlsStream<TcpStream>>() else { return };
    if let Some(certificate) = tls.ssl().peer_certificate() {
        data.insert(Certificate::of(&certificate));
    }
}

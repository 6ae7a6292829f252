//! The credentials that an HTTP request carries.

use crate::domain::access::SessionSecret;
use crate::http::auth::session;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use soapstone_runtime::service::Certificate;

/// The credentials of a request.
pub(in crate::http) enum Credentials {
    Password {
        name: String,
        password: String,
    },
    /// A bearer token; empty for an Authorization header that is not understood, which authenticates no one.
    Token(String),
    /// The client certificate of the TLS connection, which was verified.
    Certificate(Certificate),
    /// The session cookie of the Navigator.
    Session(SessionSecret),
    None,
}

impl Credentials {
    /// The credentials of a request: its Authorization header, else its session cookie if the route accepts one, else the client certificate
    /// of its connection.
    pub(in crate::http) fn from_headers(
        headers: &HeaderMap,
        certificate: Option<&Certificate>,
        accepts_session: bool,
    ) -> Self {
        if let Some(value) = headers.get(AUTHORIZATION) {
            let value = value.to_str().unwrap_or_default();
            let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
            if scheme.eq_ignore_ascii_case("bearer") {
                return Self::Token(rest.trim().to_owned());
            }
            let pair = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            if let Some((name, password)) = pair.as_deref().and_then(|pair| pair.split_once(':'))
                && scheme.eq_ignore_ascii_case("basic")
            {
                return Self::Password { name: name.to_owned(), password: password.to_owned() };
            }
            return Self::Token(String::new());
        }
        if let Some(secret) = session(headers).filter(|_| accepts_session) {
            return Self::Session(secret);
        }
        certificate.cloned().map_or(Self::None, Self::Certificate)
    }

    pub(in crate::http) fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

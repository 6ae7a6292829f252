//! Who looks at a page, and whether a form is one of ours.

use super::language::Language;
use crate::exchange::Initiator;
use crate::http::auth::{Access, Granted, session};
use crate::store::faults::{self, Resource};
use actix_web::dev::Payload;
use actix_web::error::ErrorForbidden;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest};
use soapstone_contracts::exchange::Channel;
use soapstone_runtime::http::client_address;
use soapstone_runtime::service::{AnonymousAccess, Caller};
use std::fmt::Display;
use std::future::{Ready, ready};

/// Who looks at a page.
pub(super) struct Visitor {
    caller: Option<Caller>,
    anonymous: AnonymousAccess,
    /// None on pages that say why something is denied.
    granted: Option<Granted>,
    /// What forms have to show; empty without a session.
    pub form: String,
    /// From where he asks.
    pub peer: Option<String>,
    pub language: Language,
    path: String,
    place: String,
}

impl Visitor {
    /// His name; None: nobody has to say who he is.
    pub fn name(&self) -> Option<&str> {
        self.caller.as_ref().map(|caller| caller.0.name())
    }

    /// Who begins a run, if he does.
    pub fn initiator(&self) -> Initiator {
        Initiator::new(Channel::Navigator, self.name().or(self.peer.as_deref()))
    }

    pub fn has_session(&self) -> bool {
        !self.form.is_empty()
    }

    /// A text in his language.
    pub fn t<'a>(&self, text: &'a str) -> &'a str {
        self.language.say(text)
    }

    /// A text in his language, with a value where it has `{}`.
    pub fn tell(&self, text: &str, value: impl Display) -> String {
        self.language.say_with(text, &[&value])
    }

    /// The same with two values.
    pub fn tell_two(&self, text: &str, first: impl Display, second: impl Display) -> String {
        self.language.say_with(text, &[&first, &second])
    }

    /// A name of the contracts, such as `partiallyDelivered`, as words in his language.
    pub fn label(&self, name: &str) -> String {
        self.t(&in_words(name)).to_owned()
    }

    /// Whether he is on a page, or on one below it.
    pub fn is_at(&self, path: &str) -> bool {
        // The page of one article is below the list of them.
        let rest =
            self.path.strip_prefix(path).or_else(|| Some("").filter(|_| path.strip_suffix('s') == Some(&self.path)));
        rest.is_some_and(|rest| rest.is_empty() || (path != "/navigator" && rest.starts_with('/')))
    }

    /// The languages he can choose, with whether it is his.
    pub fn languages(&self) -> impl Iterator<Item = (Language, bool)> {
        Language::ALL.into_iter().map(|language| (language, language == self.language))
    }

    /// What the server lacks at present, for a notice on each page.
    pub fn missing(&self) -> Option<&str> {
        faults::missing().map(|resource| {
            self.t(match resource {
                Resource::Database => "The database cannot be reached; runs wait for it.",
                Resource::Space => "The disk is full: nothing is stored until there is space again; runs wait for it.",
            })
        })
    }

    /// The page he is on, with what he asked of it.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Whether he may do an operation of a service.
    pub fn may(&self, service: &str, operation: &str) -> bool {
        match &self.caller {
            Some(caller) => caller.0.allows(service, operation),
            None => self.anonymous == AnonymousAccess::Allowed,
        }
    }

    /// Whether he may change anything here.
    pub fn may_change(&self) -> bool {
        self.may("Navigator", "Change")
    }

    /// Writes down what he did, or wanted to.
    pub fn note(&self, access: &Access, what: impl Display, is_done: bool) {
        if let Some(granted) = &self.granted {
            granted.mark_audited();
        }
        let outcome = if is_done { "ok" } else { "refused" };
        access.note(self.name().map(str::to_owned), format!("{what} (Navigator)"), outcome, self.peer.clone());
    }

    /// Whether what a form shows is what our pages gave him: a page of another site cannot know it. Who is known by other means than a
    /// cookie has none; for him the browser tells which site sends.
    pub fn gave(&self, form: &str) -> bool {
        form.len() == self.form.len() && openssl::memcmp::eq(form.as_bytes(), self.form.as_bytes())
    }
}

/// `partiallyDelivered` as `partially delivered`.
fn in_words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words.trim_start().to_owned()
}

impl FromRequest for Visitor {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    /// Returns the visitor, if the request passed the check of its route.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let granted = request.extensions().get::<Granted>().cloned();
        ready(match granted {
            Some(granted) => Ok(Self { granted: Some(granted), ..Self::unauthenticated(request) }),
            None => Err(ErrorForbidden("This page is not available.")),
        })
    }
}

impl Visitor {
    /// The visitor of a page that says why something is denied.
    pub fn unauthenticated(request: &HttpRequest) -> Self {
        let caller = request.extensions().get::<Caller>().cloned();
        let session = session(request.headers()).filter(|_| caller.is_some());
        let form = session.map(|secret| secret.form_token()).unwrap_or_default();
        let peer = client_address(request).map(|address| address.to_string());
        let (path, place) = (request.path().to_owned(), request.uri().to_string());
        let anonymous = AnonymousAccess::of(request);
        Self { caller, anonymous, granted: None, form, peer, language: Language::of(request), path, place }
    }
}

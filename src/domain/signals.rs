//! Signals: who is told what of orders, and when it is tried again.

use super::change::{as_given, change};
use super::orders::Order;
use super::{Issue, Secret, compared};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveDateTime;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use soapstone_contracts::common::Money;
use soapstone_contracts::listener::{Event, Notify};
use soapstone_contracts::orders::{PaymentState, State};
use soapstone_contracts::signals as contract;
use soapstone_contracts::signals::{Form, ListMember};
use soapstone_runtime::outbound::{Denied, Outbound};
use soapstone_runtime::{DateTime, Decimal};
use std::collections::BTreeSet;
use std::time::Duration;

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// What the secret of a web hook begins with, where it is base64 (Standard Webhooks).
const ENCODED: &str = "whsec_";

/// How signals are sent.
#[derive(Clone, Debug)]
pub struct Sending {
    /// The first wait before another attempt; each further one is twice as long.
    pub first_wait: Duration,
    /// After so many it is dead.
    pub attempts: i32,
    /// How long a target may take.
    pub timeout: Duration,
    /// For how long what was told is remembered.
    pub days: u32,
    /// Who else than the machine's authorities vouches for targets, in PEM.
    pub authority: Option<Vec<u8>>,
    /// Which addresses may be called.
    pub outbound: Outbound,
}

/// A system that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub key: String,
    pub url: String,
    pub form: Form,
    /// None: of everything.
    pub events: Vec<Event>,
    /// None: of the orders of all.
    pub warehouses: Vec<String>,
    pub secret: Option<Secret>,
    pub user: Option<String>,
    pub password: Option<Secret>,
    pub active: bool,
}

impl Target {
    /// Applies a change to a target, or makes a new one; `issues` gets everything that the rules have against it.
    pub fn apply(existing: Option<Self>, given: contract::Target, issues: &mut Vec<Issue>) -> Option<Self> {
        let is_new = existing.is_none();
        let mut target = existing.unwrap_or_else(|| Self {
            key: compared(&given.key),
            url: String::new(),
            form: Form::WebHook,
            events: Vec::new(),
            warehouses: Vec::new(),
            secret: None,
            user: None,
            password: None,
            active: true,
        });
        match given.url {
            Some(url) => match checked(&url) {
                Ok(()) => target.url = url,
                Err(issue) => issues.push(issue),
            },
            None if is_new => {
                let issue = Issue::error("target.no_address", "a new target needs an address").of("url", "");
                issues.push(issue.suggest("give its url, such as https://erp.example/hooks"));
            }
            None => {}
        }
        for member in given.clear.iter().flatten() {
            match member {
                ListMember::Event => target.events.clear(),
                ListMember::Warehouse => target.warehouses.clear(),
            }
        }
        target.form = given.form.unwrap_or(target.form);
        target.active = given.active.unwrap_or(target.active);
        if !given.event.is_empty() {
            target.events = given.event;
            target.events.sort_by_key(|event| event.as_str());
            target.events.dedup();
        }
        if !given.warehouse.is_empty() {
            target.warehouses = given.warehouse;
            target.warehouses.sort();
            target.warehouses.dedup();
        }
        change(&mut target.secret, given.secret, usable_secret, issues);
        change(&mut target.user, given.user, as_given, issues);
        change(&mut target.password, given.password, |password| Ok(Secret::Plain(password)), issues);
        if target.form == Form::WebHook && target.secret.is_none() && issues.is_empty() {
            let issue = Issue::warning("target.unsigned", "web hooks without a secret are not signed");
            issues.push(issue.suggest("give a secret, so that the target can tell that they are from here"));
        }
        let is_refused = issues.iter().any(|issue| issue.severity == super::Severity::Error);
        (!is_refused).then_some(target)
    }

    /// The target as the contract has it: without its secrets.
    pub fn to_contract(&self, version: i64, changed_at: NaiveDateTime) -> contract::Target {
        contract::Target {
            version: Some(version),
            if_version: None,
            changed_at: Some(DateTime::from_utc(changed_at)),
            key: self.key.clone(),
            url: Some(self.url.clone()),
            form: Some(self.form),
            event: self.events.clone(),
            warehouse: self.warehouses.clone(),
            secret: None,
            user: self.user.clone().map(soapstone_runtime::Nillable::Value),
            password: None,
            active: Some(self.active),
            signed: Some(self.secret.is_some()),
            clear: None,
        }
    }

    /// Whether it is told of that.
    pub fn wants(&self, event: Event, warehouses: &[String]) -> bool {
        self.active
            && (self.events.is_empty() || self.events.contains(&event))
            && (self.warehouses.is_empty() || self.warehouses.iter().any(|own| warehouses.contains(own)))
    }
}

/// Rejects URLs that are never called. Whether an internal address is allowed depends on the settings, which the caller checks.
fn checked(url: &str) -> Result<(), Issue> {
    match Outbound::default().endpoint(url) {
        Err(denied @ Denied::Url(_)) => {
            let issue = Issue::error("target.bad_address", denied.to_string());
            Err(issue.of("url", url).suggest(denied.help()))
        }
        _ => Ok(()),
    }
}

/// The issue of a target whose address may not be called.
pub fn internal_address(url: &str, denied: &Denied) -> Issue {
    Issue::error("target.internal_address", denied.to_string()).of("url", url).suggest(denied.help())
}

fn usable_secret(secret: String) -> Result<Secret, Issue> {
    if key(&secret).is_some_and(|key| !key.is_empty()) {
        return Ok(Secret::Plain(secret));
    }
    let issue = Issue::error("target.bad_secret", "the secret is empty, or whsec_ without base64").of("secret", "***");
    Err(issue.suggest("give any text, or whsec_ and at least 24 bytes in base64"))
}

/// The bytes that a secret stands for.
fn key(secret: &str) -> Option<Vec<u8>> {
    match secret.strip_prefix(ENCODED) {
        Some(encoded) => STANDARD.decode(encoded).ok(),
        None => Some(secret.as_bytes().to_vec()),
    }
}

/// The signature of a web hook: `v1,` and the HMAC-SHA256 of id, time in seconds and body, as Standard Webhooks has it.
/// None: the secret is none.
pub fn signature(secret: &str, id: &str, seconds: i64, body: &str) -> Option<String> {
    let key = PKey::hmac(&key(secret)?).ok()?;
    let mut signer = Signer::new(MessageDigest::sha256(), &key).ok()?;
    let signed = signer.sign_oneshot_to_vec(format!("{id}.{seconds}.{body}").as_bytes()).ok()?;
    Some(format!("v1,{}", STANDARD.encode(signed)))
}

/// How long to wait after so many attempts: each one more doubles it.
pub fn wait(attempts: i32, first: Duration) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(20);
    first.saturating_mul(1 << doublings).min(LONGEST_WAIT.max(first))
}

/// What happened to an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    pub event: Event,
    pub at: NaiveDateTime,
    pub order: Option<Told>,
}

/// What is told of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub number: String,
    pub reference: Option<String>,
    pub customer: Option<String>,
    pub state: Option<State>,
    pub state_before: Option<State>,
    pub payment: Option<String>,
    pub payment_state: Option<PaymentState>,
    pub total: String,
    pub currency: String,
    pub warehouses: Vec<String>,
}

impl Told {
    /// What is told of that order, whatever happened.
    pub fn of(order: &Order) -> Self {
        let warehouses: BTreeSet<&String> = order.positions.iter().filter_map(|p| p.warehouse.as_ref()).collect();
        Self {
            number: order.number.clone(),
            reference: order.reference.clone(),
            customer: order.customer.clone(),
            total: order.total.to_plain_string(),
            currency: order.currency.clone(),
            warehouses: warehouses.into_iter().cloned().collect(),
            ..Self::default()
        }
    }
}

impl Happened {
    /// As the contract has it; `id` names the delivery.
    pub fn to_contract(&self, id: i64) -> Notify {
        let order = self.order.as_ref();
        let money = |order: &Told| {
            let value = Decimal(order.total.parse().ok()?);
            Some(Money { value, currency: Some(order.currency.clone()) })
        };
        Notify {
            id,
            event: self.event,
            at: DateTime::from_utc(self.at),
            order: order.map(|o| o.number.clone()),
            reference: order.and_then(|o| o.reference.clone()),
            customer: order.and_then(|o| o.customer.clone()),
            state: order.and_then(|o| o.state),
            state_before: order.and_then(|o| o.state_before),
            payment: order.and_then(|o| o.payment.clone()),
            payment_state: order.and_then(|o| o.payment_state),
            total: order.and_then(money),
            warehouse: order.map(|o| o.warehouses.clone()).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_standard() {
        // The example of the Standard Webhooks specification.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let body = r#"{"test": 2432232314}"#;
        let signed = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        assert_eq!(signature("whsec_?", "a", 1, ""), None);
    }

    #[test]
    fn waits_double_up_to_an_hour() {
        let first = Duration::from_secs(5);
        let waits: Vec<u64> = [1, 2, 3, 10, 11, 40].map(|attempts| wait(attempts, first).as_secs()).into();
        assert_eq!(waits, [5, 10, 20, 2560, 3600, 3600]);
    }

    #[test]
    fn a_target_is_told_what_it_wants() {
        let given = |event, warehouse: &[&str]| contract::Target {
            key: "erp".to_owned(),
            url: Some("https://erp.example/a".to_owned()),
            event,
            warehouse: warehouse.iter().map(|w| (*w).to_owned()).collect(),
            ..contract::Target::default()
        };
        let target = |event, warehouse| Target::apply(None, given(event, warehouse), &mut Vec::new()).unwrap();
        let north = ["north".to_owned()];
        assert!(target(vec![], &[]).wants(Event::OrderArrived, &[]));
        assert!(target(vec![Event::OrderArrived], &["north", "south"]).wants(Event::OrderArrived, &north));
        assert!(!target(vec![Event::OrderArrived], &[]).wants(Event::PaymentChanged, &north));
        assert!(!target(vec![], &["south"]).wants(Event::OrderArrived, &north));
    }

    #[test]
    fn bad_addresses_are_refused() {
        for url in ["", "erp.example", "ftp://erp.example/", "http://u:p@erp.example/", "http://", "http://a\\@b/"] {
            let given =
                contract::Target { key: "e".to_owned(), url: Some(url.to_owned()), ..contract::Target::default() };
            let mut issues = Vec::new();
            assert!(Target::apply(None, given, &mut issues).is_none(), "{url}");
            assert_eq!(issues[0].code, "target.bad_address", "{url}");
        }
    }
}

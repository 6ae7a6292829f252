//! Customers: what a change does to them, and what it may not do.

mod group;
mod numbers;

pub use group::Group;
pub use numbers::{Allocator, Numbering};

use super::change::{Time, as_given, change, repeated};
use super::{Defaults, Issue, Named, compared};
use chrono::NaiveDateTime;
use soapstone_contracts::common;
use soapstone_contracts::customers as contract;
use soapstone_runtime::{DateTime, Decimal, Nillable};

/// For how many days a merge can be undone.
pub const UNDO_DAYS: i64 = 30;

/// A postal address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// Which of several of a customer it is; empty where it is the only one.
    pub key: String,
    pub company: Option<String>,
    pub salutation: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub addition: Option<String>,
    pub street: Option<String>,
    pub post_box: Option<String>,
    pub postal_code: Option<String>,
    pub city: Option<String>,
    pub region: Option<String>,
    pub country: Option<String>,
    pub phone: Option<String>,
    pub email: Option<String>,
}

/// An amount of a currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Money {
    pub amount: Decimal,
    pub currency: String,
}

/// What a customer agreed to, or refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Consent {
    pub purpose: String,
    pub given: bool,
    pub at: Option<NaiveDateTime>,
}

/// A customer as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Customer {
    pub number: String,
    pub email: Option<String>,
    pub company: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub language: Option<String>,
    pub currency: Option<String>,
    pub tax_id: Option<String>,
    pub billing: Option<Address>,
    pub delivery: Vec<Address>,
    pub price_group: Option<String>,
    pub discount_group: Option<String>,
    /// In order, none twice.
    pub campaigns: Vec<String>,
    pub payment_terms: Option<String>,
    pub payment_methods: Vec<String>,
    pub credit_limit: Option<Money>,
    pub blocked: bool,
    pub consents: Vec<Consent>,
    pub attributes: Vec<Named>,
}

/// What the database adds for whoever asks for a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub version: i64,
    pub changed_at: NaiveDateTime,
    /// Old numbers.
    pub aliases: Vec<String>,
    /// The credit, one a currency.
    pub credit: Vec<Money>,
}

impl Address {
    pub fn of(given: common::Address) -> Self {
        Self {
            key: given.key.as_deref().map(compared).unwrap_or_default(),
            company: given.company,
            salutation: given.salutation,
            first_name: given.first_name,
            last_name: given.last_name,
            addition: given.addition,
            street: given.street,
            post_box: given.post_box,
            postal_code: given.postal_code,
            city: given.city,
            region: given.region,
            country: given.country,
            phone: given.phone,
            email: given.email,
        }
    }

    pub fn to_contract(&self) -> common::Address {
        common::Address {
            key: Some(self.key.clone()).filter(|key| !key.is_empty()),
            company: self.company.clone(),
            salutation: self.salutation.clone(),
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            addition: self.addition.clone(),
            street: self.street.clone(),
            post_box: self.post_box.clone(),
            postal_code: self.postal_code.clone(),
            city: self.city.clone(),
            region: self.region.clone(),
            country: self.country.clone(),
            phone: self.phone.clone(),
            email: self.email.clone(),
        }
    }
}

impl Money {
    pub fn of(given: common::Money, defaults: &Defaults) -> Self {
        Self { amount: given.value, currency: given.currency.unwrap_or_else(|| defaults.currency.clone()) }
    }

    pub fn to_contract(&self) -> common::Money {
        common::Money { currency: Some(self.currency.clone()), value: self.amount.clone() }
    }
}

impl Customer {
    /// Applies a change to a customer, or makes a new one, of the number that it is to have; `issues` gets everything
    /// that the rules have against it.
    pub fn apply(
        existing: Option<Self>,
        number: String,
        given: contract::Customer,
        defaults: &Defaults,
        issues: &mut Vec<Issue>,
    ) -> Option<Self> {
        let mut customer = existing.unwrap_or_else(|| Self { number, ..Self::default() });
        for member in given.clear.iter().flatten() {
            customer.clear(*member);
        }
        for (slot, value) in [
            (&mut customer.email, given.email),
            (&mut customer.company, given.company),
            (&mut customer.first_name, given.first_name),
            (&mut customer.last_name, given.last_name),
            (&mut customer.language, given.language),
            (&mut customer.currency, given.currency),
            (&mut customer.tax_id, given.tax_id),
            (&mut customer.price_group, given.price_group),
            (&mut customer.discount_group, given.discount_group),
            (&mut customer.payment_terms, given.payment_terms),
        ] {
            change(slot, value, as_given, issues);
        }
        change(&mut customer.billing, given.billing_address, |address| Ok(Address::of(address)), issues);
        change(&mut customer.credit_limit, given.credit_limit, |limit| Ok(Money::of(limit, defaults)), issues);
        customer.blocked = given.blocked.unwrap_or(customer.blocked);
        if let Some(email) = customer.email.as_ref().filter(|email| !is_email(email)) {
            let issue = Issue::error("customer.email", "this is no e-mail address").of("email", email);
            issues.push(issue.suggest("write it as name@example.com, or leave it out"));
        }
        if !given.delivery_address.is_empty() {
            customer.delivery = numbered(given.delivery_address.into_iter().map(Address::of).collect());
            if let Some(key) = repeated(customer.delivery.iter().map(|a| a.key.as_str())) {
                let text = format!("two delivery addresses have the key {key}");
                issues.push(Issue::error("customer.duplicate_address", text).of("deliveryAddress", key));
            }
        }
        if !given.campaign.is_empty() {
            customer.campaigns = given.campaign.iter().map(|campaign| compared(campaign)).collect();
            customer.campaigns.sort();
            customer.campaigns.dedup();
        }
        if !given.payment_method.is_empty() {
            customer.payment_methods = given.payment_method;
        }
        if !given.consent.is_empty() {
            customer.consents = consents(given.consent, defaults, issues);
        }
        if !given.attribute.is_empty() {
            customer.attributes = given.attribute.into_iter().map(Named::of_attribute).collect();
        }
        issues.is_empty().then_some(customer)
    }

    fn clear(&mut self, member: contract::ListMember) {
        use contract::ListMember;
        match member {
            ListMember::DeliveryAddress => self.delivery.clear(),
            ListMember::Campaign => self.campaigns.clear(),
            ListMember::PaymentMethod => self.payment_methods.clear(),
            ListMember::Consent => self.consents.clear(),
            ListMember::Attribute => self.attributes.clear(),
        }
    }

    /// The customer as the contract has it.
    pub fn to_contract(&self, standing: &Standing) -> contract::Customer {
        let text = |value: &Option<String>| value.clone().map(Nillable::Value);
        contract::Customer {
            version: Some(standing.version),
            if_version: None,
            changed_at: Some(DateTime::from_utc(standing.changed_at)),
            number: Some(self.number.clone()),
            alias: standing.aliases.clone(),
            email: text(&self.email),
            company: text(&self.company),
            first_name: text(&self.first_name),
            last_name: text(&self.last_name),
            language: text(&self.language),
            currency: text(&self.currency),
            tax_id: text(&self.tax_id),
            billing_address: self.billing.as_ref().map(|a| Nillable::Value(a.to_contract())),
            delivery_address: self.delivery.iter().map(Address::to_contract).collect(),
            price_group: text(&self.price_group),
            discount_group: text(&self.discount_group),
            campaign: self.campaigns.clone(),
            payment_terms: text(&self.payment_terms),
            payment_method: self.payment_methods.clone(),
            credit_limit: self.credit_limit.as_ref().map(|m| Nillable::Value(m.to_contract())),
            credit: standing.credit.iter().map(Money::to_contract).collect(),
            blocked: Some(self.blocked),
            consent: self.consents.iter().map(Consent::to_contract).collect(),
            attribute: self.attributes.iter().map(Named::to_attribute).collect(),
            clear: None,
        }
    }
}

impl Consent {
    fn to_contract(&self) -> contract::Consent {
        contract::Consent { purpose: self.purpose.clone(), given: self.given, at: self.at.map(DateTime::from_utc) }
    }
}

fn consents(given: Vec<contract::Consent>, defaults: &Defaults, issues: &mut Vec<Issue>) -> Vec<Consent> {
    let time = Time { code: "customer.time_range", zone: defaults.zone };
    let mut consents = Vec::with_capacity(given.len());
    for one in given {
        match one.at.map(|at| time.instant(at, "consent/at")).transpose() {
            Ok(at) => consents.push(Consent { purpose: one.purpose, given: one.given, at }),
            Err(issue) => issues.push(issue),
        }
    }
    consents.sort();
    if let Some(purpose) = repeated(consents.iter().map(|c| c.purpose.as_str())) {
        let text = format!("two consents for {purpose}");
        issues.push(Issue::error("customer.duplicate_consent", text).of("consent", purpose));
    }
    consents
}

/// Gives addresses without a key the lowest number that is free.
fn numbered(mut addresses: Vec<Address>) -> Vec<Address> {
    let mut number = 1;
    for place in 0..addresses.len() {
        if addresses[place].key.is_empty() {
            while addresses.iter().any(|a| a.key == number.to_string()) {
                number += 1;
            }
            addresses[place].key = number.to_string();
        }
    }
    addresses
}

/// Something, an @, and something with a point: more can only be told by writing to it.
fn is_email(text: &str) -> bool {
    let mut parts = text.rsplitn(2, '@');
    let (domain, name) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let blank = |c: char| c.is_whitespace() || c.is_control();
    !name.is_empty()
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && !domain.is_empty()
        && !text.contains(blank)
}

/// How e-mail addresses are compared.
pub fn email_key(email: &str) -> String {
    compared(email).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(existing: Option<Customer>, given: contract::Customer) -> Result<Customer, Vec<Issue>> {
        let mut issues = Vec::new();
        Customer::apply(existing, "1".to_owned(), given, &Defaults::default(), &mut issues).ok_or(issues)
    }

    fn address(key: Option<&str>, city: &str) -> common::Address {
        let (key, city) = (key.map(str::to_owned), Some(city.to_owned()));
        common::Address { key, city, ..common::Address::default() }
    }

    #[test]
    fn addresses_without_a_key_are_numbered() {
        let delivery_address = vec![address(None, "a"), address(Some("1"), "b"), address(None, "c")];
        let customer = apply(None, contract::Customer { delivery_address, ..Default::default() }).unwrap();
        assert_eq!(customer.delivery.iter().map(|a| a.key.as_str()).collect::<Vec<_>>(), ["2", "1", "3"]);
    }

    #[test]
    fn what_is_wrong_is_told_all_at_once() {
        let given = contract::Customer {
            email: Some(Nillable::Value("nobody".to_owned())),
            delivery_address: vec![address(Some("x"), "a"), address(Some("x"), "b")],
            consent: vec![contract::Consent::default(), contract::Consent::default()],
            ..Default::default()
        };
        let codes: Vec<_> = apply(None, given).unwrap_err().iter().map(|issue| issue.code).collect();
        assert_eq!(codes, ["customer.email", "customer.duplicate_address", "customer.duplicate_consent"]);
    }

    #[test]
    fn what_is_stored_reads_back_the_same() {
        let given = contract::Customer {
            email: Some(Nillable::Value("Ä@example.com".to_owned())),
            billing_address: Some(Nillable::Value(address(None, "Zürich"))),
            campaign: vec!["b".to_owned(), "a".to_owned(), "b".to_owned()],
            credit_limit: Some(Nillable::Value(common::Money { currency: None, value: 5.into() })),
            ..Default::default()
        };
        let customer = apply(None, given).unwrap();
        let again = customer.to_contract(&Standing::default());
        assert_eq!(apply(Some(customer.clone()), again).unwrap(), customer);
    }
}

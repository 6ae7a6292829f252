//! Orders: taken as they come, with what they leave open worked out; and what can be changed of them.

mod flow;
mod payment;
mod same;

pub use flow::{Flow, Line, Part};
pub use payment::Payment;
pub use same::says_the_same;

use super::basket::{STANDARD, Selling, turned};
use super::change::{as_given, change};
use super::customers::{Address, Customer};
use super::pricing::{LINE_DECIMALS, UNIT_DECIMALS};
use super::tax::{Charge as TaxedCharge, Exemption, Good, TaxRate, totals};
use super::{Defaults, Issue, Named};
use bigdecimal::{BigDecimal, RoundingMode, Zero};
use chrono::NaiveDateTime;
use soapstone_contracts::common::{ChargeKind, TaxShare};
use soapstone_contracts::orders as contract;
use soapstone_runtime::{DateTime, Decimal, Nillable};

/// By how much the total of somebody else's sum may differ from ours: some round tax by line.
const TOLERANCE_CENTS: i64 = 5;

/// A line of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub number: i32,
    pub sku: Option<String>,
    pub text: Option<String>,
    pub quantity: BigDecimal,
    pub unit: Option<String>,
    pub unit_price: BigDecimal,
    pub discount: BigDecimal,
    pub amount: BigDecimal,
    pub tax_percent: BigDecimal,
    pub warehouse: Option<String>,
    pub serials: Vec<String>,
}

/// What comes on top of the goods, or off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    pub kind: ChargeKind,
    pub amount: BigDecimal,
    /// None: it has the rates of the goods.
    pub tax_percent: Option<BigDecimal>,
    pub text: Option<String>,
    /// What it has at which rate.
    pub shares: Vec<(BigDecimal, BigDecimal)>,
}

/// What an order has at one rate of tax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxLine {
    pub percent: BigDecimal,
    pub net: BigDecimal,
    pub tax: BigDecimal,
    pub gross: BigDecimal,
}

/// An order as it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub number: String,
    pub reference: Option<String>,
    pub ordered_at: NaiveDateTime,
    /// The customer's number.
    pub customer: Option<String>,
    pub email: Option<String>,
    pub language: Option<String>,
    pub billing: Option<Address>,
    pub delivery: Option<Address>,
    pub currency: String,
    pub exchange_rate: Option<BigDecimal>,
    pub gross: bool,
    pub exemption: Option<Exemption>,
    pub positions: Vec<Position>,
    pub charges: Vec<Charge>,
    pub taxes: Vec<TaxLine>,
    pub goods: BigDecimal,
    pub net: BigDecimal,
    pub tax: BigDecimal,
    pub total: BigDecimal,
    pub payment_method: Option<String>,
    pub prepaid: bool,
    pub shipping_method: Option<String>,
    pub comment: Option<String>,
    pub weight: Option<BigDecimal>,
    pub attributes: Vec<Named>,
}

/// What is known of a line's article.
#[derive(Clone, Debug, Default)]
pub struct Supply {
    pub name: Option<String>,
    pub unit: Option<String>,
    pub weight: Option<BigDecimal>,
    pub tax_class: Option<String>,
    /// The price that holds, where the line has none.
    pub price: Option<Result<FoundPrice, (&'static str, String)>>,
}

/// A price that was found for a line.
#[derive(Clone, Debug)]
pub struct FoundPrice {
    pub unit_price: BigDecimal,
    pub discount: BigDecimal,
    pub gross: bool,
}

/// What an order is taken with.
pub struct Taking<'a> {
    pub number: String,
    pub customer: Option<&'a Customer>,
    /// One for each line.
    pub supplies: &'a [Supply],
    pub selling: &'a Selling,
    pub defaults: &'a Defaults,
    pub now: NaiveDateTime,
}

/// How far an order is, and who has it.
#[derive(Clone, Debug)]
pub struct Standing {
    pub version: i64,
    pub changed_at: NaiveDateTime,
    pub flow: Flow,
    pub export_state: contract::ExportState,
    pub export_number: Option<String>,
    pub export_message: Option<String>,
}

fn value<T>(given: Option<Nillable<T>>) -> Option<T> {
    match given {
        Some(Nillable::Value(value)) => Some(value),
        _ => None,
    }
}

fn in_cents(amount: &BigDecimal) -> BigDecimal {
    amount.with_scale_round(LINE_DECIMALS, RoundingMode::HalfUp)
}

fn currency(given: &contract::Order, customer: Option<&Customer>, defaults: &Defaults) -> String {
    let own = given.currency.clone().or_else(|| customer.and_then(|c| c.currency.clone()));
    own.unwrap_or_else(|| defaults.currency.clone())
}

impl Order {
    /// In which currency an order is, which its prices are found by.
    pub fn currency_of(given: &contract::Order, customer: Option<&Customer>, defaults: &Defaults) -> String {
        currency(given, customer, defaults)
    }

    /// Takes an order; `issues` gets everything that the rules have against it, or to say of it.
    pub fn take(given: contract::Order, with: &Taking<'_>, issues: &mut Vec<Issue>) -> Option<Self> {
        let (customer, defaults) = (with.customer, with.defaults);
        let ordered_at = match given.ordered_at.map(|at| time(at, "orderedAt", defaults)) {
            None => with.now,
            Some(Ok(at)) => at,
            Some(Err(issue)) => {
                issues.push(issue);
                with.now
            }
        };
        if customer.is_some_and(|customer| customer.blocked) {
            let issue = Issue::error("customer.blocked", "the customer is blocked: orders are refused");
            issues.push(issue.of("customer", customer.map_or("", |c| &c.number)));
        }
        if given.position.is_empty() {
            issues.push(Issue { field: Some("position".to_owned()), ..Issue::error("order.empty", "it has no lines") });
        }
        let currency = currency(&given, customer, defaults);
        let billing =
            value(given.billing_address).map(Address::of).or_else(|| customer.and_then(|c| c.billing.clone()));
        let mut order = Self {
            number: with.number.clone(),
            reference: value(given.reference),
            ordered_at,
            customer: customer.map(|c| c.number.clone()),
            email: value(given.email).or_else(|| customer.and_then(|c| c.email.clone())),
            language: value(given.language).or_else(|| customer.and_then(|c| c.language.clone())),
            billing,
            delivery: value(given.delivery_address).map(Address::of),
            currency,
            exchange_rate: given.exchange_rate.map(|rate| rate.0),
            gross: given.gross.unwrap_or(defaults.gross),
            exemption: given.exemption.map(exemption),
            positions: Vec::new(),
            charges: Vec::new(),
            taxes: Vec::new(),
            goods: BigDecimal::zero(),
            net: BigDecimal::zero(),
            tax: BigDecimal::zero(),
            total: BigDecimal::zero(),
            payment_method: value(given.payment_method),
            prepaid: given.prepaid.unwrap_or(false),
            shipping_method: value(given.shipping_method),
            comment: value(given.comment),
            weight: value(given.weight).map(|weight| weight.0),
            attributes: given.attribute.into_iter().map(Named::of_attribute).collect(),
        };
        order.take_lines(given.position, with, issues);
        order.charges = given.charge.into_iter().map(Charge::of).collect();
        if issues.iter().any(|issue| issue.severity == super::Severity::Error) {
            return None;
        }
        order.add_up(given.total.map(|total| total.0), issues).then_some(order)
    }

    /// Where the goods go.
    fn country(&self, selling: &Selling) -> String {
        let addresses = [&self.delivery, &self.billing];
        let country = addresses.into_iter().flatten().find_map(|address| address.country.clone());
        country.unwrap_or_else(|| selling.country.clone())
    }

    fn take_lines(&mut self, given: Vec<contract::Position>, with: &Taking<'_>, issues: &mut Vec<Issue>) {
        let country = self.country(with.selling);
        let mut weight = BigDecimal::zero();
        for (index, (line, supply)) in given.into_iter().zip(with.supplies).enumerate() {
            let place = i32::try_from(index + 1).unwrap_or(i32::MAX);
            let field = |name: &str| format!("position[{place}]/{name}");
            let number = line.number.unwrap_or(place);
            if self.positions.iter().any(|position| position.number == number) {
                let text = format!("two lines have the number {number}");
                issues.push(Issue::error("order.duplicate_position", text).of(&field("number"), &number.to_string()));
            }
            let rate = match (&line.tax_percent, self.exemption) {
                (_, Some(why)) => TaxRate::exempt(why),
                (Some(percent), None) => TaxRate::of(percent.0.clone()),
                (None, None) => {
                    let class = supply.tax_class.as_deref().unwrap_or(STANDARD);
                    match with.selling.tax.on(&country, class, self.ordered_at.date()) {
                        Ok(rate) => rate,
                        Err(error) => {
                            issues.push(Issue::error(error.code(), error.to_string()).of(&field("taxPercent"), class));
                            continue;
                        }
                    }
                }
            };
            let quantity = line.quantity.0;
            let given_discount = line.discount_percent.map(|percent| percent.0);
            let (unit_price, discount) = match (line.unit_price, &supply.price) {
                (Some(price), _) => (price.0, given_discount.unwrap_or_default()),
                (None, Some(Ok(found))) => (
                    turned(&found.unit_price, found.gross, self.gross, &rate, UNIT_DECIMALS),
                    given_discount.unwrap_or_else(|| found.discount.clone()),
                ),
                (None, Some(Err((code, text)))) => {
                    let value = line.sku.as_deref().unwrap_or("");
                    issues.push(Issue::error(code, text.clone()).of(&field("sku"), value));
                    continue;
                }
                (None, None) => {
                    let text = "a line without an article needs a price";
                    issues.push(Issue::error("order.no_price", text).of(&field("unitPrice"), ""));
                    continue;
                }
            };
            let hundred = BigDecimal::from(100);
            let worked_out = in_cents(&(&unit_price * &quantity * (&hundred - &discount) / &hundred));
            let amount = line.amount.map_or_else(|| worked_out.clone(), |amount| amount.0);
            if (&amount - &worked_out).abs() > BigDecimal::new(1.into(), LINE_DECIMALS) {
                let text = format!("{quantity} at {unit_price} less {discount} % come to {worked_out}");
                let issue = Issue::error("order.amount_mismatch", text).of(&field("amount"), &amount.to_string());
                issues.push(issue.suggest("correct it, or leave it out"));
            }
            if let Some(one) = &supply.weight {
                weight += one * &quantity;
            }
            self.positions.push(Position {
                number,
                text: line.text.or_else(|| supply.name.clone()),
                unit: line.unit.or_else(|| supply.unit.clone()),
                sku: line.sku,
                quantity,
                unit_price,
                discount,
                amount,
                tax_percent: rate.percent,
                warehouse: line.warehouse,
                serials: line.serial,
            });
        }
        if self.weight.is_none() && !weight.is_zero() {
            self.weight = Some(weight);
        }
    }

    fn rate(&self, percent: &BigDecimal) -> TaxRate {
        self.exemption.map_or_else(|| TaxRate::of(percent.clone()), TaxRate::exempt)
    }

    /// Works out tax and total. A total that was given may differ by some cents, as others round otherwise: then the
    /// difference becomes a charge.
    fn add_up(&mut self, given: Option<BigDecimal>, issues: &mut Vec<Issue>) -> bool {
        let good = |p: &Position| Good { amount: p.amount.clone(), rate: self.rate(&p.tax_percent) };
        let goods: Vec<Good> = self.positions.iter().map(good).collect();
        // What rounding makes has no tax.
        let is_taxed = |charge: &&Charge| charge.kind != ChargeKind::Rounding;
        let taxed =
            |c: &Charge| TaxedCharge { amount: c.amount.clone(), rate: c.tax_percent.as_ref().map(|p| self.rate(p)) };
        let charges: Vec<TaxedCharge> = self.charges.iter().filter(is_taxed).map(taxed).collect();
        let sums = match totals(&goods, &charges, self.gross, None) {
            Ok(sums) => sums,
            Err(error) => {
                issues.push(Issue::error(error.code(), error.to_string()));
                return false;
            }
        };
        let mut shares = sums.shares.into_iter();
        for charge in self.charges.iter_mut().filter(|c| c.kind != ChargeKind::Rounding) {
            let own = shares.next().unwrap_or_default();
            charge.shares = own.into_iter().map(|share| (share.rate.percent, share.amount)).collect();
        }
        let rounding: BigDecimal =
            self.charges.iter().filter(|c| c.kind == ChargeKind::Rounding).map(|c| &c.amount).sum();
        let total = &sums.gross + rounding;
        self.goods = self.positions.iter().map(|p| &p.amount).sum();
        (self.net, self.tax, self.total) = (sums.net, sums.tax, total);
        self.taxes = sums
            .groups
            .into_iter()
            .map(|g| TaxLine { percent: g.rate.percent, net: g.net, tax: g.tax, gross: g.gross })
            .collect();
        match given {
            Some(given) if given != self.total => self.accept_total(given, issues),
            _ => true,
        }
    }

    fn accept_total(&mut self, given: BigDecimal, issues: &mut Vec<Issue>) -> bool {
        let difference = &given - &self.total;
        let text = format!("it comes to {}, not to {given}", self.total);
        if difference.abs() > BigDecimal::new(TOLERANCE_CENTS.into(), LINE_DECIMALS) {
            let issue = Issue::error("order.total_mismatch", text).of("total", &given.to_string());
            issues.push(issue.suggest("correct lines, charges or total; or leave the total out"));
            return false;
        }
        issues.push(Issue::warning("order.total_rounded", text).of("total", &given.to_string()));
        self.charges.push(Charge {
            kind: ChargeKind::Rounding,
            amount: difference,
            tax_percent: None,
            text: None,
            shares: Vec::new(),
        });
        self.total = given;
        true
    }

    /// Changes what can be changed of an order that was taken.
    pub fn update(mut self, given: contract::Order, issues: &mut Vec<Issue>) -> Option<Self> {
        let fixed = [
            ("position", !given.position.is_empty()),
            ("charge", !given.charge.is_empty()),
            ("customer", given.customer.is_some()),
            ("currency", given.currency.is_some()),
            ("gross", given.gross.is_some()),
            ("exemption", given.exemption.is_some()),
            ("orderedAt", given.ordered_at.is_some()),
            ("total", given.total.is_some()),
        ];
        for (field, _) in fixed.iter().filter(|(_, is_given)| *is_given) {
            let issue = Issue::error("order.fixed", format!("{field} of an order does not change once it is taken"));
            let issue = Issue { field: Some((*field).to_owned()), ..issue };
            issues.push(issue.suggest("leave it out; or cancel the order, and take another one"));
        }
        if given.clear.iter().flatten().any(|member| *member == contract::ListMember::Attribute) {
            self.attributes.clear();
        }
        for (slot, value) in [
            (&mut self.reference, given.reference),
            (&mut self.email, given.email),
            (&mut self.language, given.language),
            (&mut self.payment_method, given.payment_method),
            (&mut self.shipping_method, given.shipping_method),
            (&mut self.comment, given.comment),
        ] {
            change(slot, value, as_given, issues);
        }
        change(&mut self.billing, given.billing_address, |address| Ok(Address::of(address)), issues);
        change(&mut self.delivery, given.delivery_address, |address| Ok(Address::of(address)), issues);
        change(&mut self.weight, given.weight, |weight: Decimal| Ok(weight.0), issues);
        self.exchange_rate = given.exchange_rate.map(|rate| rate.0).or(self.exchange_rate);
        self.prepaid = given.prepaid.unwrap_or(self.prepaid);
        if !given.attribute.is_empty() {
            self.attributes = given.attribute.into_iter().map(Named::of_attribute).collect();
        }
        issues.is_empty().then_some(self)
    }

    /// The order as the contract has it.
    pub fn to_contract(&self, standing: &Standing) -> contract::Order {
        let text = |value: &Option<String>| value.clone().map(Nillable::Value);
        let address = |value: &Option<Address>| value.as_ref().map(|a| Nillable::Value(a.to_contract()));
        let flow = &standing.flow;
        contract::Order {
            version: Some(standing.version),
            changed_at: Some(DateTime::from_utc(standing.changed_at)),
            if_version: None,
            number: Some(self.number.clone()),
            reference: text(&self.reference),
            ordered_at: Some(DateTime::from_utc(self.ordered_at)),
            customer: text(&self.customer),
            email: text(&self.email),
            language: text(&self.language),
            billing_address: address(&self.billing),
            delivery_address: address(&self.delivery),
            currency: Some(self.currency.clone()),
            exchange_rate: self.exchange_rate.clone().map(Decimal),
            gross: Some(self.gross),
            exemption: self.exemption.map(|why| match why {
                Exemption::ReverseCharge => contract::Exemption::ReverseCharge,
                Exemption::Export => contract::Exemption::Export,
            }),
            position: self.positions.iter().map(|p| p.to_contract(flow.lines.get(&p.number))).collect(),
            charge: self.charges.iter().map(Charge::to_contract).collect(),
            tax: self.taxes.iter().map(|tax| tax.to_contract(self.exemption)).collect(),
            goods: Some(Decimal(self.goods.clone())),
            net: Some(Decimal(self.net.clone())),
            tax_total: Some(Decimal(self.tax.clone())),
            total: Some(Decimal(self.total.clone())),
            payment_method: text(&self.payment_method),
            prepaid: Some(self.prepaid),
            paid: Some(Decimal(flow.paid.clone())),
            released: Some(flow.is_released()),
            shipping_method: text(&self.shipping_method),
            comment: text(&self.comment),
            weight: self.weight.clone().map(|weight| Nillable::Value(Decimal(weight))),
            attribute: self.attributes.iter().map(Named::to_attribute).collect(),
            state: Some(flow.state()),
            export_state: Some(standing.export_state),
            export_number: standing.export_number.clone(),
            export_message: standing.export_message.clone(),
            clear: None,
        }
    }
}

fn exemption(given: contract::Exemption) -> Exemption {
    match given {
        contract::Exemption::ReverseCharge => Exemption::ReverseCharge,
        contract::Exemption::Export => Exemption::Export,
    }
}

/// A time that a record names, in UTC.
///
/// # Errors
/// If it is beyond the times that can be kept.
pub fn time(given: DateTime, field: &str, defaults: &Defaults) -> Result<NaiveDateTime, Issue> {
    super::change::Time { code: "order.time_range", zone: defaults.zone }.instant(given, field)
}

impl Position {
    fn to_contract(&self, line: Option<&Line>) -> contract::Position {
        let done = |of: fn(&Line) -> &BigDecimal| line.map(|line| Decimal(of(line).clone()));
        contract::Position {
            number: Some(self.number),
            sku: self.sku.clone(),
            text: self.text.clone(),
            quantity: Decimal(self.quantity.clone()),
            unit: self.unit.clone(),
            unit_price: Some(Decimal(self.unit_price.clone())),
            discount_percent: Some(Decimal(self.discount.clone())),
            amount: Some(Decimal(self.amount.clone())),
            tax_percent: Some(Decimal(self.tax_percent.clone())),
            warehouse: self.warehouse.clone(),
            serial: self.serials.clone(),
            delivered: done(|line| &line.delivered),
            invoiced: done(|line| &line.invoiced),
            returned: done(|line| &line.returned),
            cancelled: done(|line| &line.cancelled),
        }
    }
}

impl Charge {
    fn of(given: contract::Charge) -> Self {
        Self {
            kind: given.kind,
            amount: given.amount.0,
            tax_percent: given.tax_percent.map(|percent| percent.0),
            text: given.text,
            shares: Vec::new(),
        }
    }

    fn to_contract(&self) -> contract::Charge {
        let share = |(percent, amount): &(BigDecimal, BigDecimal)| TaxShare {
            percent: Decimal(percent.clone()),
            amount: Decimal(amount.clone()),
        };
        contract::Charge {
            kind: self.kind,
            amount: Decimal(self.amount.clone()),
            tax_percent: self.tax_percent.clone().map(Decimal),
            text: self.text.clone(),
            share: self.shares.iter().map(share).collect(),
        }
    }
}

impl TaxLine {
    fn to_contract(&self, exemption: Option<Exemption>) -> contract::TaxLine {
        contract::TaxLine {
            percent: Decimal(self.percent.clone()),
            exemption: exemption.map(|why| why.as_str().to_owned()),
            net: Decimal(self.net.clone()),
            tax: Decimal(self.tax.clone()),
            gross: Decimal(self.gross.clone()),
        }
    }
}

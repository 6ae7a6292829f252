//! Orders as PepperShop's Caller gives them. The tags that its documents name are here as they name them; those of addresses and lines
//! are ours, in the same manner. Amounts have a decimal point.

use bigdecimal::BigDecimal;
use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use soapstone_contracts::common::{Address, ChargeKind};
use soapstone_contracts::orders::Order;
use soapstone_runtime::{Decimal, Nillable, Simple, json};
use std::io;

/// The start and end of a file.
pub(super) const START: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<BESTELLUNGEN>";
pub(super) const END: &str = "</BESTELLUNGEN>";

/// Payment methods by our names, and by the Caller's.
const METHODS: [(&str, &str); 12] = [
    ("invoice", "Rechnung"),
    ("prepayment", "Vorauskasse"),
    ("transfer", "Vorauskasse"),
    ("cash", "Barzahlung"),
    ("cashOnDelivery", "Nachnahme"),
    ("card", "Kreditkarte"),
    ("creditCard", "Kreditkarte"),
    ("visa", "Kreditkarte"),
    ("mastercard", "Kreditkarte"),
    ("paypal", "PayPal"),
    ("payPal", "PayPal"),
    ("free", "kostenlos"),
];

/// What a member holds, if anything.
fn held<T>(value: Option<&Nillable<T>>) -> Option<&T> {
    match value {
        Some(Nillable::Value(value)) => Some(value),
        _ => None,
    }
}

fn plain(number: &BigDecimal) -> String {
    number.normalized().to_plain_string()
}

/// An order, as JSON has it, as an element of the file.
///
/// # Errors
/// If it is none.
pub(super) fn order(record: &str) -> io::Result<String> {
    let order: Order = json::from_value(serde_json::from_str(record)?).map_err(|e| io::Error::other(e.message))?;
    let mut element = Element(Writer::new(Vec::new()));
    element.within("BESTELLUNG", |element| members(element, &order))?;
    String::from_utf8(element.0.into_inner()).map_err(io::Error::other)
}

struct Element(Writer<Vec<u8>>);

impl Element {
    fn within(&mut self, name: &str, inner: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        self.0.write_event(Event::Start(BytesStart::new(name)))?;
        inner(self)?;
        self.0.write_event(Event::End(BytesEnd::new(name)))
    }

    /// An element that is there even if it is empty.
    fn text(&mut self, name: &str, text: impl AsRef<str>) -> io::Result<()> {
        self.0.create_element(name).write_text_content(BytesText::new(text.as_ref())).map(drop)
    }

    fn amount(&mut self, name: &str, amount: Option<&Decimal>) -> io::Result<()> {
        self.text(name, amount.map(|amount| plain(&amount.0)).unwrap_or_default())
    }
}

/// What the charges of some kinds come to.
fn charged(order: &Order, kinds: &[ChargeKind]) -> String {
    let charges = order.charge.iter().filter(|charge| kinds.contains(&charge.kind));
    plain(&charges.map(|charge| charge.amount.0.clone()).sum())
}

fn members(element: &mut Element, order: &Order) -> io::Result<()> {
    let number = order.number.as_deref().unwrap_or("");
    let method = held(order.payment_method.as_ref()).map_or("", String::as_str);
    let delivery = held(order.delivery_address.as_ref());
    let payment =
        if method.eq_ignore_ascii_case("paypal") { charged(order, &[ChargeKind::Payment]) } else { "0".to_owned() };
    element.text("BESTELLUNGS_ID", number)?;
    element.text("SESSION_ID", "")?;
    element.text("DATUM", order.ordered_at.as_ref().map(Simple::lexical).unwrap_or_default())?;
    element.text("KUNDEN_NR", held(order.customer.as_ref()).map_or("", String::as_str))?;
    element.text("LIEFERANSCHRIFT_ADRESS_ID", delivery.map_or_else(String::new, |_| format!("{number}-L")))?;
    let spoken = METHODS.iter().find(|(ours, _)| *ours == method).map_or(method, |(_, theirs)| theirs);
    element.text("BEZAHLUNGSART", spoken)?;
    element.text("CLEARING_ID", "")?;
    element.text("CLEARING_EXTRA", "")?;
    element.text("VERSANDKOSTEN", charged(order, &[ChargeKind::Shipping, ChargeKind::Packaging]))?;
    element.text("MINDERMENGENZUSCHLAG", charged(order, &[ChargeKind::SmallQuantity]))?;
    element.amount("RECHNUNGSBETRAG", order.total.as_ref())?;
    element.amount("ARTIKELTOTAL", order.goods.as_ref())?;
    element.text("NACHNAHMEBETRAG", charged(order, &[ChargeKind::CashOnDelivery]))?;
    element.text("PAYPALBETRAG", payment)?;
    element.text("TREUHANDBETRAG", "0")?;
    element.text("GUTSCHEINBETRAG", charged(order, &[ChargeKind::Voucher]))?;
    element.text("ANMERKUNG", held(order.comment.as_ref()).map_or("", String::as_str))?;
    element.text("VERSANDART", held(order.shipping_method.as_ref()).map_or("", String::as_str))?;
    element.text("VERSANDART_ID", held(order.shipping_method.as_ref()).map_or("", String::as_str))?;
    element.amount("GEWICHTSTOTAL", held(order.weight.as_ref()))?;
    element.text("RECHNUNGS_NR", number)?;
    element.text("REFERENZ_NR", held(order.reference.as_ref()).map_or("", String::as_str))?;
    element.text("WAEHRUNG", order.currency.as_deref().unwrap_or(""))?;
    element.text("WAEHRUNG_STRING", order.currency.as_deref().unwrap_or(""))?;
    element.text(
        "WAEHRUNG_UMRECHNUNGSFAKTOR",
        order.exchange_rate.as_ref().map_or_else(|| "1".to_owned(), |rate| plain(&rate.0)),
    )?;
    element.text("PREISE_INKL_MWST", if order.gross == Some(true) { "1" } else { "0" })?;
    element.within("RECHNUNGSANSCHRIFT", |element| {
        let email = held(order.email.as_ref()).map(String::as_str);
        address(element, held(order.billing_address.as_ref()), email)
    })?;
    if let Some(delivery) = delivery {
        element.within("LIEFERANSCHRIFT", |element| address(element, Some(delivery), None))?;
    }
    element.within("MWST_LISTE", |element| {
        order.tax.iter().try_for_each(|line| {
            element.within("MWST", |element| {
                element.text("SATZ", plain(&line.percent.0))?;
                element.text("NETTO", plain(&line.net.0))?;
                element.text("BETRAG", plain(&line.tax.0))?;
                element.text("BRUTTO", plain(&line.gross.0))
            })
        })
    })?;
    element.within("ARTIKEL_LISTE", |element| lines(element, order))
}

fn lines(element: &mut Element, order: &Order) -> io::Result<()> {
    order.position.iter().try_for_each(|position| {
        element.within("ARTIKEL", |element| {
            element.text("POSITION", position.number.unwrap_or(0).to_string())?;
            element.text("ARTIKEL_NR", position.sku.as_deref().unwrap_or(""))?;
            element.text("NAME", position.text.as_deref().unwrap_or(""))?;
            element.text("ANZAHL", plain(&position.quantity.0))?;
            element.text("EINHEIT", position.unit.as_deref().unwrap_or(""))?;
            element.amount("PREIS", position.unit_price.as_ref())?;
            element.amount("RABATT", position.discount_percent.as_ref())?;
            element.amount("TOTAL", position.amount.as_ref())?;
            element.amount("MWST_SATZ", position.tax_percent.as_ref())?;
            position.serial.iter().try_for_each(|serial| element.text("SERIEN_NR", serial))
        })
    })
}

fn address(element: &mut Element, address: Option<&Address>, email: Option<&str>) -> io::Result<()> {
    let text = |of: fn(&Address) -> Option<&String>| address.and_then(of).map_or("", String::as_str);
    element.text("FIRMA", text(|a| a.company.as_ref()))?;
    element.text("ANREDE", text(|a| a.salutation.as_ref()))?;
    element.text("VORNAME", text(|a| a.first_name.as_ref()))?;
    element.text("NACHNAME", text(|a| a.last_name.as_ref()))?;
    element.text("ZUSATZ", text(|a| a.addition.as_ref()))?;
    element.text("STRASSE", text(|a| a.street.as_ref()))?;
    element.text("POSTFACH", text(|a| a.post_box.as_ref()))?;
    element.text("PLZ", text(|a| a.postal_code.as_ref()))?;
    element.text("ORT", text(|a| a.city.as_ref()))?;
    element.text("LAND", text(|a| a.country.as_ref()))?;
    element.text("TELEFON", text(|a| a.phone.as_ref()))?;
    let own = text(|a| a.email.as_ref());
    element.text("EMAIL", if own.is_empty() { email.unwrap_or("") } else { own })
}

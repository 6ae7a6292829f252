//! Orders as openTRANS 2.1, one document each, in a ZIP: a document of openTRANS holds one order. Prices are without tax, as
//! openTRANS has them; what comes on top is a line of its own.

use crate::exchange::formats::{CHARGE, three_letters};
use bigdecimal::{BigDecimal, RoundingMode};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use soapstone_contracts::common::{Address, ChargeKind};
use soapstone_contracts::orders::{Order, Position};
use soapstone_runtime::{Decimal, Nillable, json};
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Decimals of prices that tax was taken out of.
const DECIMALS: i64 = 6;

/// Who sells, in the parties of an order.
const SUPPLIER: &str = "shop";

/// Who buys without a number.
const GUEST: &str = "guest";

/// The unit of a charge: piece (UN/ECE recommendation 20).
const PIECE: &str = "C62";

/// Documents on their way into a ZIP.
pub(super) struct Documents {
    archive: ZipWriter<File>,
    count: usize,
}

impl Documents {
    /// # Errors
    /// If there is no place for it.
    pub fn begin() -> io::Result<Self> {
        Ok(Self { archive: ZipWriter::new(tempfile::tempfile()?), count: 0 })
    }

    /// Adds an order, as JSON has it.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn add(&mut self, record: &str) -> io::Result<()> {
        let order: Order = json::from_value(serde_json::from_str(record)?).map_err(|e| io::Error::other(e.message))?;
        let document = document(&order)?;
        let number: String = order
            .number
            .as_deref()
            .unwrap_or("")
            .chars()
            .map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' })
            .collect();
        // Two numbers may differ in what a name cannot hold.
        self.count += 1;
        let place = self.count;
        let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
        self.archive.start_file(format!("ORDER_{place:06}_{number}.xml"), options)?;
        self.archive.write_all(&document)
    }

    /// Writes the ZIP.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(self, out: &mut impl Write) -> io::Result<()> {
        let mut file = self.archive.finish()?;
        file.seek(SeekFrom::Start(0))?;
        io::copy(&mut file, out).map(drop)
    }
}

/// Writes elements, those of BMEcat with its prefix.
struct Document(Writer<Vec<u8>>);

impl Document {
    fn text(&mut self, name: &str, text: impl AsRef<str>) -> io::Result<()> {
        self.0.create_element(name).write_text_content(BytesText::new(text.as_ref())).map(drop)
    }

    /// An element, if there is something in it.
    fn some(&mut self, name: &str, text: Option<impl AsRef<str>>) -> io::Result<()> {
        match text {
            Some(text) if !text.as_ref().is_empty() => self.text(name, text),
            _ => Ok(()),
        }
    }

    fn typed(&mut self, name: &str, of: &str, text: &str) -> io::Result<()> {
        self.0.create_element(name).with_attribute(("type", of)).write_text_content(BytesText::new(text)).map(drop)
    }

    fn within(&mut self, name: &str, inner: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        self.with(name, &[], inner)
    }

    fn with(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        inner: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        use quick_xml::events::{BytesEnd, BytesStart};
        let mut start = BytesStart::new(name);
        attributes.iter().for_each(|attribute| start.push_attribute(*attribute));
        self.0.write_event(Event::Start(start))?;
        inner(self)?;
        self.0.write_event(Event::End(BytesEnd::new(name)))
    }
}

/// What a member holds, if anything.
fn held<T>(value: Option<&Nillable<T>>) -> Option<&T> {
    match value {
        Some(Nillable::Value(value)) => Some(value),
        _ => None,
    }
}

fn document(order: &Order) -> io::Result<Vec<u8>> {
    let mut document = Document(Writer::new_with_indent(Vec::new(), b' ', 2));
    document.0.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let attributes = [
        ("xmlns", "http://www.opentrans.org/XMLSchema/2.1"),
        ("xmlns:bme", "http://www.bmecat.org/bmecat/2005"),
        ("version", "2.1"),
        ("type", "standard"),
    ];
    document.with("ORDER", &attributes, |document| {
        document.within("ORDER_HEADER", |document| {
            document.within("CONTROL_INFO", |document| {
                document.text("GENERATOR_INFO", concat!("Soapstone ", env!("CARGO_PKG_VERSION")))
            })?;
            document.within("ORDER_INFO", |document| header(document, order))
        })?;
        let mut lines = 0;
        document.within("ORDER_ITEM_LIST", |document| {
            for position in &order.position {
                item(document, order, position)?;
                lines += 1;
            }
            charges(document, order, &mut lines)
        })?;
        document.within("ORDER_SUMMARY", |document| {
            document.text("TOTAL_ITEM_NUM", lines.to_string())?;
            document.some("TOTAL_AMOUNT", order.net.as_ref().map(|net| net.0.normalized().to_plain_string()))
        })
    })?;
    let mut bytes = document.0.into_inner();
    bytes.push(b'\n');
    Ok(bytes)
}

fn header(document: &mut Document, order: &Order) -> io::Result<()> {
    document.text("ORDER_ID", order.number.as_deref().unwrap_or(""))?;
    document
        .text("ORDER_DATE", order.ordered_at.as_ref().map(soapstone_runtime::Simple::lexical).unwrap_or_default())?;
    if let Some(language) = held(order.language.as_ref()) {
        document
            .0
            .create_element("bme:LANGUAGE")
            .with_attribute(("default", "true"))
            .write_text_content(BytesText::new(&three_letters(language)))?;
    }
    let customer = held(order.customer.as_ref()).map_or(GUEST, String::as_str);
    let delivery = held(order.delivery_address.as_ref());
    let recipient = format!("{customer}/delivery");
    document.within("PARTIES", |document| {
        let of_buyer: &[&str] = if delivery.is_some() {
            &["buyer", "invoice_recipient"]
        } else {
            &["buyer", "invoice_recipient", "delivery"]
        };
        let email = held(order.email.as_ref()).map(String::as_str);
        party(document, customer, of_buyer, held(order.billing_address.as_ref()), email)?;
        if delivery.is_some() {
            party(document, &recipient, &["delivery"], delivery, None)?;
        }
        party(document, SUPPLIER, &["supplier"], None, None)
    })?;
    if let Some(reference) = held(order.reference.as_ref()) {
        document.within("CUSTOMER_ORDER_REFERENCE", |document| document.text("ORDER_ID", reference))?;
    }
    document.within("ORDER_PARTIES_REFERENCE", |document| {
        document.typed("bme:BUYER_IDREF", "supplier_specific", customer)?;
        document.typed("bme:SUPPLIER_IDREF", "supplier_specific", SUPPLIER)?;
        document.typed("INVOICE_RECIPIENT_IDREF", "supplier_specific", customer)?;
        document.within("SHIPMENT_PARTIES_REFERENCE", |document| {
            let to = if delivery.is_some() { &recipient } else { customer };
            document.typed("DELIVERY_IDREF", "supplier_specific", to)
        })
    })?;
    document.some("bme:CURRENCY", order.currency.as_ref())?;
    let method = held(order.payment_method.as_ref()).map(String::as_str);
    let element =
        [("cash", "CASH"), ("debit", "DEBIT"), ("cheque", "CHECK")].into_iter().find(|(own, _)| Some(*own) == method);
    if let Some((_, element)) = element {
        document.within("PAYMENT", |document| document.text(element, "true"))?;
    }
    let comment = held(order.comment.as_ref()).filter(|comment| !comment.is_empty());
    if let Some(comment) = comment {
        document.typed("REMARKS", "general", comment)?;
    }
    header_extensions(document, order, method.filter(|_| element.is_none()))
}

/// What openTRANS has no element for.
fn header_extensions(document: &mut Document, order: &Order, method: Option<&str>) -> io::Result<()> {
    let shipping = held(order.shipping_method.as_ref()).map(String::as_str);
    let weight = held(order.weight.as_ref()).map(|weight| weight.0.normalized().to_plain_string());
    let gross = order.total.as_ref().map(|total| total.0.normalized().to_plain_string());
    let extensions = [
        ("UDX.SOAPSTONE.PAYMENTMETHOD", method.map(str::to_owned)),
        ("UDX.SOAPSTONE.PREPAID", order.prepaid.filter(|prepaid| *prepaid).map(|_| "true".to_owned())),
        ("UDX.SOAPSTONE.SHIPPINGMETHOD", shipping.map(str::to_owned)),
        ("UDX.SOAPSTONE.WEIGHT", weight),
        ("UDX.SOAPSTONE.TOTALGROSS", gross),
    ];
    if extensions.iter().all(|(_, value)| value.is_none()) {
        return Ok(());
    }
    document.within("HEADER_UDX", |document| {
        extensions.into_iter().try_for_each(|(name, value)| document.some(name, value))
    })
}

fn party(
    document: &mut Document,
    id: &str,
    roles: &[&str],
    address: Option<&Address>,
    email: Option<&str>,
) -> io::Result<()> {
    document.within("PARTY", |document| {
        document.typed("bme:PARTY_ID", if id == GUEST { "buyer_specific" } else { "supplier_specific" }, id)?;
        for role in roles {
            document.text("PARTY_ROLE", role)?;
        }
        match address {
            Some(address) => document.within("ADDRESS", |document| of_address(document, address, email)),
            None => Ok(()),
        }
    })
}

fn of_address(document: &mut Document, address: &Address, email: Option<&str>) -> io::Result<()> {
    let person = [address.first_name.as_deref(), address.last_name.as_deref()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ");
    document.some("bme:NAME", address.company.as_deref().or(Some(&person)))?;
    document.some("bme:NAME2", address.addition.as_deref())?;
    if let Some(last) = address.last_name.as_deref().or(address.first_name.as_deref()) {
        document.within("CONTACT_DETAILS", |document| {
            document.text("bme:CONTACT_NAME", last)?;
            document.some("bme:FIRST_NAME", address.first_name.as_deref().filter(|_| address.last_name.is_some()))?;
            document.some("bme:TITLE", address.salutation.as_deref())
        })?;
    }
    document.some("bme:STREET", address.street.as_deref())?;
    document.some("bme:ZIP", address.postal_code.as_deref())?;
    document.some("bme:BOXNO", address.post_box.as_deref())?;
    document.some("bme:CITY", address.city.as_deref())?;
    document.some("bme:STATE", address.region.as_deref())?;
    document.some("bme:COUNTRY_CODED", address.country.as_deref())?;
    document.some("bme:PHONE", address.phone.as_deref())?;
    document.some("bme:EMAIL", address.email.as_deref().or(email))
}

/// An amount without the tax that is in it.
fn net(order: &Order, amount: &BigDecimal, percent: Option<&Decimal>, decimals: i64) -> String {
    let hundred = BigDecimal::from(100);
    let net = match percent {
        Some(percent) if order.gross == Some(true) => amount * &hundred / (&hundred + &percent.0),
        _ => amount.clone(),
    };
    net.with_scale_round(decimals, RoundingMode::HalfUp).normalized().to_plain_string()
}

fn rate(percent: &Decimal) -> String {
    (&percent.0 / BigDecimal::from(100)).normalized().to_plain_string()
}

fn item(document: &mut Document, order: &Order, position: &Position) -> io::Result<()> {
    document.within("ORDER_ITEM", |document| {
        document.text("LINE_ITEM_ID", position.number.unwrap_or(0).to_string())?;
        document.within("PRODUCT_ID", |document| {
            document.some("bme:SUPPLIER_PID", position.sku.as_deref())?;
            position.serial.iter().try_for_each(|serial| document.text("SERIAL_NUMBER", serial))?;
            document.some("bme:DESCRIPTION_SHORT", position.text.as_deref())
        })?;
        document.text("QUANTITY", position.quantity.0.normalized().to_plain_string())?;
        document.text("bme:ORDER_UNIT", position.unit.as_deref().unwrap_or(PIECE))?;
        if let Some(price) = &position.unit_price {
            document.within("PRODUCT_PRICE_FIX", |document| {
                let percent = position.tax_percent.as_ref();
                document.text("bme:PRICE_AMOUNT", net(order, &price.0, percent, DECIMALS))?;
                if let Some(discount) = position.discount_percent.as_ref().filter(|d| d.0 > BigDecimal::default()) {
                    document.within("ALLOW_OR_CHARGES_FIX", |document| {
                        document.with("ALLOW_OR_CHARGE", &[("type", "allowance")], |document| {
                            document.text("ALLOW_OR_CHARGE_TYPE", "rebate")?;
                            document.within("ALLOW_OR_CHARGE_VALUE", |document| {
                                document.text("AOC_PERCENTAGE_FACTOR", rate(discount))
                            })
                        })
                    })?;
                }
                taxed(document, percent)
            })?;
        }
        match &position.amount {
            Some(amount) => document.text("PRICE_LINE_AMOUNT", net(order, &amount.0, position.tax_percent.as_ref(), 2)),
            None => Ok(()),
        }
    })
}

fn taxed(document: &mut Document, percent: Option<&Decimal>) -> io::Result<()> {
    let Some(percent) = percent else { return Ok(()) };
    document.within("TAX_DETAILS_FIX", |document| {
        document.text("bme:TAX_TYPE", "vat")?;
        document.text("bme:TAX", rate(percent))
    })
}

/// Charges, a line for each of their rates of tax.
fn charges(document: &mut Document, order: &Order, lines: &mut i32) -> io::Result<()> {
    let mut number = order.position.iter().filter_map(|position| position.number).max().unwrap_or(0);
    for charge in &order.charge {
        let whole = [(charge.tax_percent.clone(), charge.amount.0.clone())];
        let shares: Vec<_> =
            charge.share.iter().map(|share| (Some(share.percent.clone()), share.amount.0.clone())).collect();
        for (percent, amount) in if shares.is_empty() { &whole[..] } else { &shares[..] } {
            number += 1;
            *lines += 1;
            document.within("ORDER_ITEM", |document| {
                document.text("LINE_ITEM_ID", number.to_string())?;
                document.within("PRODUCT_ID", |document| {
                    document.text("bme:DESCRIPTION_SHORT", charge.text.as_deref().unwrap_or(label(charge.kind)))
                })?;
                document.text("QUANTITY", "1")?;
                document.text("bme:ORDER_UNIT", PIECE)?;
                document.within("PRODUCT_PRICE_FIX", |document| {
                    document.text("bme:PRICE_AMOUNT", net(order, amount, percent.as_ref(), DECIMALS))?;
                    taxed(document, percent.as_ref())
                })?;
                document.text("PRICE_LINE_AMOUNT", net(order, amount, percent.as_ref(), 2))?;
                document.within("ITEM_UDX", |document| document.text(CHARGE, charge.kind.as_str()))
            })?;
        }
    }
    Ok(())
}

/// What a charge is called if it has no text.
fn label(kind: ChargeKind) -> &'static str {
    match kind {
        ChargeKind::Shipping => "Shipping",
        ChargeKind::Payment => "Payment fee",
        ChargeKind::CashOnDelivery => "Cash on delivery",
        ChargeKind::SmallQuantity => "Surcharge on small orders",
        ChargeKind::Packaging => "Packaging",
        ChargeKind::Voucher => "Voucher",
        ChargeKind::Rounding => "Rounding",
        ChargeKind::Other => "Charge",
    }
}

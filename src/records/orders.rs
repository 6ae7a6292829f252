//! Orders, their documents, payments and shipments.

use super::{Record, Taken, each};
use crate::domain::orders::{Part, time};
use crate::domain::{Issue, Rules};
use crate::error::ServiceError;
use crate::store::Db;
use crate::store::batch::Recorded;
use crate::store::orders;
use chrono::{NaiveDateTime, TimeZone};
use soapstone_contracts::orders as contract;
use soapstone_contracts::orders::{Document, Order, Payment, Shipment};

fn parts(given: Vec<contract::Part>) -> Vec<Part> {
    given.into_iter().map(|part| (part.position, part.quantity.0)).collect()
}

impl Record for Order {
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        each(records, |order| orders::take(db, order, rules, now))
    }
}

impl Record for Document {
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        let today = rules.defaults.zone.from_utc_datetime(&now).date_naive();
        each(records, |given| {
            let pdf = given.pdf.map(|pdf| pdf.0.bytes()).transpose();
            let pdf = pdf.map_err(|e| ServiceError::internal(format!("a PDF cannot be read: {e}")))?;
            let Some(date) = given.date.map_or(Some(today), |date| date.to_naive()) else {
                let issue = Issue::error("document.date", "the date is beyond those that can be kept");
                return Ok((given.number, Recorded::refused(vec![issue.of("date", "")])));
            };
            let document = orders::Document {
                number: given.number,
                kind: given.kind,
                order: given.order,
                date,
                parts: parts(given.part),
                amount: given.amount.map(|amount| amount.0),
                text: given.text,
            };
            let recorded = orders::record_document(db, &document, pdf.as_deref(), now)?;
            Ok((document.number, recorded))
        })
    }
}

impl Record for Payment {
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        each(records, |payment| match payment.at.map(|at| time(at, "at", &rules.defaults)).transpose() {
            Err(issue) => Ok((payment.key, Recorded::refused(vec![issue]))),
            Ok(at) => {
                let recorded = orders::record_payment(db, &payment, at.unwrap_or(now), now)?;
                Ok((payment.key, recorded))
            }
        })
    }
}

impl Record for Shipment {
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        each(records, |given| {
            let at = match given.shipped_at.map(|at| time(at, "shippedAt", &rules.defaults)).transpose() {
                Err(issue) => return Ok((given.key, Recorded::refused(vec![issue]))),
                Ok(at) => at.unwrap_or(now),
            };
            let shipment = orders::Shipment {
                key: given.key,
                order: given.order,
                carrier: given.carrier,
                tracking_number: given.tracking_number,
                tracking_url: given.tracking_url,
                parts: parts(given.part),
                shipped_at: at,
            };
            let recorded = orders::record_shipment(db, &shipment)?;
            Ok((shipment.key, recorded))
        })
    }
}

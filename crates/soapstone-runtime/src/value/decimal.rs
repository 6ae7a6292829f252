//! `xs:decimal` and `xs:integer` of any precision.

use super::simple::{JsonKind, Simple, simple_value};
use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::BigInt;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// `xs:decimal`: exact, with the decimal places it was written with.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(pub BigDecimal);

/// `xs:integer` of any size.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Integer(pub BigInt);

/// How many characters a number may have: reading takes longer than they are many.
const LONGEST: usize = 10_000;

const TOO_LONG: &str = "has more than 10,000 digits";

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut points = 0;
    let mut any = false;
    for byte in digits.bytes() {
        match byte {
            b'0'..=b'9' => any = true,
            b'.' => points += 1,
            _ => return false,
        }
    }
    any && points <= 1
}

impl FromStr for Decimal {
    type Err = Cow<'static, str>;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > LONGEST {
            return Err(TOO_LONG.into());
        }
        // XSD has no exponent, which BigDecimal would read.
        if !is_decimal(text) {
            return Err("is not a decimal number (digits with a point, no thousands separator)".into());
        }
        BigDecimal::from_str(text).map(Self).map_err(|_| "is not a decimal number".into())
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_plain_string())
    }
}

impl Simple for Decimal {
    const JSON: JsonKind = JsonKind::Digits;

    fn parse(text: &str) -> Result<Self, Cow<'static, str>> {
        text.parse()
    }

    fn append(&self, out: &mut String) {
        out.push_str(&self.0.to_plain_string());
    }

    fn compare(&self, bound: &str) -> Option<Ordering> {
        Some(self.0.cmp(&BigDecimal::from_str(bound).ok()?))
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Self(BigDecimal::from(value))
    }
}

impl Simple for Integer {
    const JSON: JsonKind = JsonKind::Digits;

    fn parse(text: &str) -> Result<Self, Cow<'static, str>> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        if text.len() > LONGEST {
            return Err(TOO_LONG.into());
        }
        if !is_decimal(text) || text.contains('.') {
            return Err("is not a whole number".into());
        }
        BigInt::from_str(digits).map(Self).map_err(|_| "is not a whole number".into())
    }

    fn append(&self, out: &mut String) {
        out.push_str(&self.0.to_string());
    }

    fn compare(&self, bound: &str) -> Option<Ordering> {
        Some(self.0.cmp(&BigInt::from_str(bound).ok()?))
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

simple_value!(Decimal, Integer);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_round_trip() {
        for text in
            ["12.50", "0.000000000000000001", "-123456789012345678.123456789012345678", "0", "1000000000000000000000"]
        {
            assert_eq!(Decimal::parse(text).unwrap().lexical(), text);
        }
        assert_eq!(Decimal::parse("+.5").unwrap().lexical(), "0.5");
        for wrong in ["", "1e3", "1,5", "1.2.3", "-", ".", "0x1"] {
            assert!(Decimal::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn integers_have_no_bound() {
        let text = "123456789012345678901234567890";
        assert_eq!(Integer::parse(text).unwrap().lexical(), text);
        assert!(Integer::parse("1.0").is_err());
    }
}

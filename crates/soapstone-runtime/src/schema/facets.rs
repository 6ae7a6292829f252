//! Facets of simple types (XSD part 2, section 4.3), checked by the reader.

use super::Pattern;
use crate::value::Simple;
use std::cmp::Ordering;

/// How white space in a value is treated before it is looked at (XSD part 2, section 4.3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhiteSpace {
    Preserve,
    Replace,
    Collapse,
}

/// The facets of a simple type with those of its bases.
#[derive(Debug)]
pub struct Facets {
    pub length: Option<u32>,
    pub min_length: Option<u32>,
    pub max_length: Option<u32>,
    /// Each step of derivation has its alternatives; a value must match one of every step.
    pub patterns: &'static [&'static [&'static Pattern]],
    /// Each step's values; a value must be among those of every step.
    pub enumeration: &'static [&'static str],
    pub min_inclusive: Option<&'static str>,
    pub max_inclusive: Option<&'static str>,
    pub min_exclusive: Option<&'static str>,
    pub max_exclusive: Option<&'static str>,
    pub total_digits: Option<u32>,
    pub fraction_digits: Option<u32>,
    /// None: as the built-in type has it.
    pub white_space: Option<WhiteSpace>,
    /// Of a list: the facets of its items.
    pub item: Option<&'static Facets>,
}

impl Facets {
    pub const NONE: Self = Self {
        length: None,
        min_length: None,
        max_length: None,
        patterns: &[],
        enumeration: &[],
        min_inclusive: None,
        max_inclusive: None,
        min_exclusive: None,
        max_exclusive: None,
        total_digits: None,
        fraction_digits: None,
        white_space: None,
        item: None,
    };

    /// A text whose white space is collapsed, such as `xs:token`.
    pub const COLLAPSED: Self = Self { white_space: Some(WhiteSpace::Collapse), ..Self::NONE };

    /// Checks a value against the facets; `lexical` is its text after white space was treated.
    ///
    /// # Errors
    /// A sentence that names the facet.
    pub fn check<T: Simple>(&self, value: &T, lexical: &str) -> Result<(), String> {
        if (self.length.is_some() || self.min_length.is_some() || self.max_length.is_some())
            && let Some(length) = value.length(lexical)
        {
            self.check_length(length)?;
        }
        for alternatives in self.patterns {
            if !alternatives.iter().any(|pattern| pattern.matches(lexical)) {
                let texts: Vec<_> = alternatives.iter().map(|p| p.text()).collect();
                return Err(format!("does not match the pattern {}", texts.join(" | ")));
            }
        }
        let is_one = |allowed: &&'static str| *allowed == lexical || value.compare(allowed) == Some(Ordering::Equal);
        if !self.enumeration.is_empty() && !self.enumeration.iter().any(is_one) {
            return Err(format!("is none of the enumeration {}", self.enumeration.join(", ")));
        }
        self.check_bounds(value)?;
        if self.total_digits.is_some() || self.fraction_digits.is_some() {
            self.check_digits(lexical)?;
        }
        Ok(())
    }

    fn check_length(&self, length: usize) -> Result<(), String> {
        let limit = |facet: Option<u32>| facet.map(|f| f as usize);
        match () {
            () if limit(self.length).is_some_and(|l| length != l) => {
                Err(format!("is {length} long, but length is {}", self.length.unwrap_or_default()))
            }
            () if limit(self.min_length).is_some_and(|l| length < l) => {
                Err(format!("is {length} long, shorter than minLength {}", self.min_length.unwrap_or_default()))
            }
            () if limit(self.max_length).is_some_and(|l| length > l) => {
                Err(format!("is {length} long, longer than maxLength {}", self.max_length.unwrap_or_default()))
            }
            () => Ok(()),
        }
    }

    fn check_bounds<T: Simple>(&self, value: &T) -> Result<(), String> {
        let against = |bound: Option<&'static str>| bound.and_then(|b| Some((b, value.compare(b)?)));
        if let Some((bound, Ordering::Less)) = against(self.min_inclusive) {
            return Err(format!("is less than minInclusive {bound}"));
        }
        if let Some((bound, Ordering::Greater)) = against(self.max_inclusive) {
            return Err(format!("is greater than maxInclusive {bound}"));
        }
        if let Some((bound, Ordering::Less | Ordering::Equal)) = against(self.min_exclusive) {
            return Err(format!("is not greater than minExclusive {bound}"));
        }
        if let Some((bound, Ordering::Greater | Ordering::Equal)) = against(self.max_exclusive) {
            return Err(format!("is not less than maxExclusive {bound}"));
        }
        Ok(())
    }

    fn check_digits(&self, lexical: &str) -> Result<(), String> {
        let digits = lexical.trim_start_matches(['+', '-']);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        if let Some(most) = self.fraction_digits
            && fraction.len() > most as usize
        {
            return Err(format!("has {} decimal places, more than fractionDigits {most}", fraction.len()));
        }
        if let Some(most) = self.total_digits
            && whole.len() + fraction.len() > most as usize
        {
            return Err(format!("has {} digits, more than totalDigits {most}", whole.len() + fraction.len()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Decimal;

    #[test]
    fn digits_are_counted_without_padding_zeros() {
        let facets = Facets { total_digits: Some(5), fraction_digits: Some(2), ..Facets::NONE };
        assert!(facets.check_digits("00123.4500").is_ok());
        assert!(facets.check_digits("1.234").unwrap_err().contains("fractionDigits 2"));
        assert!(facets.check_digits("12345.6").unwrap_err().contains("totalDigits 5"));
    }

    #[test]
    fn values_are_enumerated_not_texts() {
        let facets = Facets { enumeration: &["1.0", "2"], ..Facets::NONE };
        let check = |text: &str| facets.check(&Decimal::parse(text).unwrap(), text);
        assert!(check("1").is_ok() && check("2.00").is_ok());
        assert!(check("3").unwrap_err().contains("enumeration"));
    }
}

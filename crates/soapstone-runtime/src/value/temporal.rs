//! Dates and times (XSD part 2, sections 3.2.6 to 3.2.14): with a zone or without, any year.

use super::simple::{Simple, simple_value};
use chrono::{FixedOffset, NaiveDate, NaiveDateTime, TimeZone, Utc};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::Write;

/// The parts that the types are made of; a type uses some of them.
#[derive(Clone, Copy, Debug)]
struct Parts {
    year: i64,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    /// The second's fraction, in units of 10^-18 s.
    fraction: u64,
    /// How many digits of it are written at least: as many as were given.
    digits: u8,
    /// Minutes east of Greenwich; None: no zone was given.
    zone: Option<i16>,
}

/// How many digits a fraction of a second may have.
const DIGITS: usize = 18;

/// A nanosecond in units of a fraction.
const NANO: u64 = 1_000_000_000;

const START: Parts =
    Parts { year: 1972, month: 1, day: 1, hour: 0, minute: 0, second: 0, fraction: 0, digits: 0, zone: None };

/// Reads digits off a text.
struct Scanner<'a>(&'a str);

impl Scanner<'_> {
    fn literal(&mut self, expected: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    fn two(&mut self, least: u8, most: u8) -> Option<u8> {
        let digits = self.0.get(..2).filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
        self.0 = &self.0[2..];
        digits.parse().ok().filter(|n| (least..=most).contains(n))
    }

    fn year(&mut self) -> Option<i64> {
        let negative = self.literal("-").is_some();
        let length = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let digits = &self.0[..length];
        // Years beyond four digits have no leading zero; year 0 does not exist in XSD 1.0, but clients send it.
        if length < 4 || (length > 4 && digits.starts_with('0')) {
            return None;
        }
        self.0 = &self.0[length..];
        digits.parse::<i64>().ok().map(|year| if negative { -year } else { year })
    }

    /// The fraction of a second, and how many digits it was written with.
    fn fraction(&mut self) -> Option<(u64, u8)> {
        if self.literal(".").is_none() {
            return Some((0, 0));
        }
        let length = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let digits = self.0[..length].trim_end_matches('0');
        if length == 0 || digits.len() > DIGITS {
            return None;
        }
        self.0 = &self.0[length..];
        let fraction = format!("{digits:0<DIGITS$}").parse().ok()?;
        Some((fraction, u8::try_from(length.min(DIGITS)).unwrap_or(0)))
    }

    fn zone(&mut self) -> Option<Option<i16>> {
        match self.0.bytes().next() {
            None => Some(None),
            Some(b'Z') => self.literal("Z").map(|()| Some(0)),
            Some(sign @ (b'+' | b'-')) => {
                self.0 = &self.0[1..];
                let hours = i16::from(self.two(0, 14)?);
                self.literal(":")?;
                let minutes = hours * 60 + i16::from(self.two(0, 59)?);
                (minutes <= 14 * 60).then_some(Some(if sign == b'-' { -minutes } else { minutes }))
            }
            Some(_) => None,
        }
    }

    fn date(&mut self, parts: &mut Parts) -> Option<()> {
        parts.year = self.year()?;
        self.literal("-")?;
        parts.month = self.two(1, 12)?;
        self.literal("-")?;
        parts.day = self.two(1, days_in(parts.year, parts.month))?;
        Some(())
    }

    fn time(&mut self, parts: &mut Parts) -> Option<()> {
        parts.hour = self.two(0, 24)?;
        self.literal(":")?;
        parts.minute = self.two(0, 59)?;
        self.literal(":")?;
        parts.second = self.two(0, 59)?;
        (parts.fraction, parts.digits) = self.fraction()?;
        let midnight = parts.minute == 0 && parts.second == 0 && parts.fraction == 0;
        (parts.hour < 24 || midnight).then_some(())
    }

    fn finish(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

fn days_in(year: i64, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

impl PartialEq for Parts {
    /// How many zeros a fraction was written with is no part of the value.
    fn eq(&self, other: &Self) -> bool {
        let key = |p: &Self| (p.year, p.month, p.day, p.hour, p.minute, p.second, p.fraction, p.zone);
        key(self) == key(other)
    }
}

impl Eq for Parts {}

impl std::hash::Hash for Parts {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.year, self.month, self.day, self.hour, self.minute, self.second, self.fraction, self.zone).hash(state);
    }
}

impl Parts {
    /// The fraction, cut off to what chrono can tell.
    fn nanoseconds(&self) -> u32 {
        u32::try_from(self.fraction / NANO).unwrap_or(0)
    }

    fn append_year(&self, out: &mut String) {
        let sign = if self.year < 0 { "-" } else { "" };
        let _ = write!(out, "{sign}{:04}", self.year.unsigned_abs());
    }

    fn append_date(&self, out: &mut String) {
        self.append_year(out);
        let _ = write!(out, "-{:02}-{:02}", self.month, self.day);
    }

    fn append_time(&self, out: &mut String) {
        let _ = write!(out, "{:02}:{:02}:{:02}", self.hour, self.minute, self.second);
        if self.fraction > 0 || self.digits > 0 {
            let all = format!("{:0DIGITS$}", self.fraction);
            let needed = all.trim_end_matches('0').len().max(usize::from(self.digits).min(all.len()));
            let _ = write!(out, ".{}", &all[..needed]);
        }
    }

    fn append_zone(&self, out: &mut String) {
        let _ = match self.zone {
            None => Ok(()),
            Some(0) => out.write_char('Z'),
            Some(minutes) => {
                let sign = if minutes < 0 { '-' } else { '+' };
                write!(out, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
            }
        };
    }

    /// Seconds since an epoch and their fraction, for comparing; no zone counts as Greenwich.
    fn instant(&self) -> (i128, u64) {
        let (y, m) = if self.month <= 2 { (self.year - 1, self.month + 9) } else { (self.year, self.month - 3) };
        let days = 365 * y + y.div_euclid(4) - y.div_euclid(100)
            + y.div_euclid(400)
            + (i64::from(m) * 306 + 5) / 10
            + i64::from(self.day);
        let seconds = i128::from(days) * 86_400
            + i128::from(self.hour) * 3600
            + i128::from(self.minute) * 60
            + i128::from(self.second)
            - i128::from(self.zone.unwrap_or(0)) * 60;
        (seconds, self.fraction)
    }
}

const TOO_FINE: &str = "has a fraction of a second of more than 18 digits";

fn has_long_fraction(text: &str) -> bool {
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
    let digits = &fraction[..fraction.bytes().take_while(u8::is_ascii_digit).count()];
    digits.trim_end_matches('0').len() > DIGITS
}

macro_rules! temporal {
    ($($(#[$meta:meta])* $name:ident, $sample:literal, $read:expr, $write:expr;)*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name(Parts);

        impl Simple for $name {
            fn parse(text: &str) -> Result<Self, Cow<'static, str>> {
                let read: fn(&mut Scanner<'_>, &mut Parts) -> Option<()> = $read;
                let mut scanner = Scanner(text);
                let mut parts = START;
                let mut all = || {
                    read(&mut scanner, &mut parts)?;
                    parts.zone = scanner.zone()?;
                    scanner.finish()
                };
                match all() {
                    Some(()) => Ok(Self(parts)),
                    None if has_long_fraction(text) => Err(TOO_FINE.into()),
                    None => Err(concat!("is not of the form ", $sample).into()),
                }
            }

            fn append(&self, out: &mut String) {
                let write: fn(&Parts, &mut String) = $write;
                write(&self.0, out);
                self.0.append_zone(out);
            }

            fn compare(&self, bound: &str) -> Option<Ordering> {
                Some(self.0.instant().cmp(&Self::parse(bound).ok()?.0.instant()))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.lexical())
            }
        }

        simple_value!($name);
    )*};
}

temporal! {
    /// `xs:dateTime`.
    DateTime, "2026-11-30T23:59:00Z (zone optional)",
        |s, p| { s.date(p)?; s.literal("T")?; s.time(p) },
        |p, out| { p.append_date(out); out.push('T'); p.append_time(out); };
    /// `xs:date`.
    Date, "2026-11-30 (zone optional)", |s, p| s.date(p), |p, out| p.append_date(out);
    /// `xs:time`.
    Time, "23:59:00 (zone optional)", |s, p| s.time(p), |p, out| p.append_time(out);
    /// `xs:gYear`.
    GYear, "2026", |s, p| { p.year = s.year()?; Some(()) }, |p, out| p.append_year(out);
    /// `xs:gYearMonth`.
    GYearMonth, "2026-11",
        |s, p| { p.year = s.year()?; s.literal("-")?; p.month = s.two(1, 12)?; Some(()) },
        |p, out| { p.append_year(out); let _ = write!(out, "-{:02}", p.month); };
    /// `xs:gMonthDay`.
    GMonthDay, "--11-30",
        |s, p| { s.literal("--")?; p.month = s.two(1, 12)?; s.literal("-")?; p.day = s.two(1, days_in(1972, p.month))?; Some(()) },
        |p, out| { let _ = write!(out, "--{:02}-{:02}", p.month, p.day); };
    /// `xs:gDay`.
    GDay, "---30", |s, p| { s.literal("---")?; p.day = s.two(1, 31)?; Some(()) },
        |p, out| { let _ = write!(out, "---{:02}", p.day); };
    /// `xs:gMonth`.
    GMonth, "--11", |s, p| { s.literal("--")?; p.month = s.two(1, 12)?; Some(()) },
        |p, out| { let _ = write!(out, "--{:02}", p.month); };
}

impl DateTime {
    /// The instant in UTC; a value without a zone is read as one in `zone`. None: a year that chrono has not.
    pub fn to_utc(self, zone: FixedOffset) -> Option<chrono::DateTime<Utc>> {
        let parts = self.0;
        let zone = match parts.zone {
            Some(minutes) => FixedOffset::east_opt(i32::from(minutes) * 60)?,
            None => zone,
        };
        let date = NaiveDate::from_ymd_opt(i32::try_from(parts.year).ok()?, parts.month.into(), parts.day.into())?;
        let (date, hour) = if parts.hour == 24 { (date.succ_opt()?, 0) } else { (date, parts.hour) };
        let time = date.and_hms_nano_opt(hour.into(), parts.minute.into(), parts.second.into(), parts.nanoseconds())?;
        Some(zone.from_local_datetime(&time).single()?.with_timezone(&Utc))
    }

    /// The instant, written with a zone.
    pub fn from_utc(time: NaiveDateTime) -> Self {
        use chrono::{Datelike, Timelike};
        let small = |n: u32| u8::try_from(n).unwrap_or(0);
        Self(Parts {
            year: time.year().into(),
            month: small(time.month()),
            day: small(time.day()),
            hour: small(time.hour()),
            minute: small(time.minute()),
            second: small(time.second()),
            fraction: u64::from(time.nanosecond().min(999_999_999)) * NANO,
            digits: 0,
            zone: Some(0),
        })
    }
}

impl Date {
    /// The day, whatever its zone. None: a year that chrono has not.
    pub fn to_naive(self) -> Option<NaiveDate> {
        let parts = self.0;
        NaiveDate::from_ymd_opt(i32::try_from(parts.year).ok()?, parts.month.into(), parts.day.into())
    }

    /// A day without a zone.
    pub fn from_naive(day: NaiveDate) -> Self {
        let midnight = DateTime::from_utc(day.into()).0;
        Self(Parts { zone: None, ..midnight })
    }
}

/// `xs:duration`: months and seconds do not mix, so both are kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Duration {
    pub negative: bool,
    pub years: u64,
    pub months: u64,
    pub days: u64,
    pub hours: u64,
    pub minutes: u64,
    pub seconds: u64,
    /// The fraction of a second, in units of 10^-18 s.
    pub fraction: u64,
}

impl Duration {
    fn scan(text: &str) -> Option<Self> {
        let negative = text.starts_with('-');
        let text = text.strip_prefix('-').unwrap_or(text).strip_prefix('P')?;
        let (date, time) = match text.split_once('T') {
            Some((date, time)) if !time.is_empty() => (date, time),
            Some(_) => return None,
            None if text.is_empty() => return None,
            None => (text, ""),
        };
        let mut value = Self { negative, years: 0, months: 0, days: 0, hours: 0, minutes: 0, seconds: 0, fraction: 0 };
        let mut rest = date;
        for (unit, slot) in [('Y', &mut value.years), ('M', &mut value.months), ('D', &mut value.days)] {
            *slot = take(&mut rest, unit)?;
        }
        if !rest.is_empty() {
            return None;
        }
        let mut rest = time;
        for (unit, slot) in [('H', &mut value.hours), ('M', &mut value.minutes)] {
            *slot = take(&mut rest, unit)?;
        }
        if !rest.is_empty() {
            let seconds = rest.strip_suffix('S')?;
            let (whole, fraction) = seconds.split_once('.').map_or((seconds, None), |(w, f)| (w, Some(f)));
            value.seconds = number(whole)?;
            if let Some(fraction) = fraction {
                let mut scanner = Scanner("");
                let with_point = format!(".{fraction}");
                scanner.0 = &with_point;
                value.fraction = scanner.fraction()?.0;
                scanner.finish()?;
            }
        }
        Some(value)
    }
}

fn number(digits: &str) -> Option<u64> {
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// The number before `unit`, if the text has it; 0 if not.
fn take(rest: &mut &str, unit: char) -> Option<u64> {
    match rest.split_once(unit) {
        Some((digits, after)) => {
            *rest = after;
            number(digits)
        }
        None => Some(0),
    }
}

impl Simple for Duration {
    fn parse(text: &str) -> Result<Self, Cow<'static, str>> {
        let wrong = if has_long_fraction(text) { TOO_FINE } else { "is not a duration of the form P1Y2M3DT4H5M6.7S" };
        Self::scan(text).ok_or_else(|| wrong.into())
    }

    fn append(&self, out: &mut String) {
        if self.negative {
            out.push('-');
        }
        out.push('P');
        let before = out.len();
        for (value, unit) in [(self.years, 'Y'), (self.months, 'M'), (self.days, 'D')] {
            if value > 0 {
                let _ = write!(out, "{value}{unit}");
            }
        }
        if self.hours + self.minutes + self.seconds > 0 || self.fraction > 0 || out.len() == before {
            out.push('T');
            for (value, unit) in [(self.hours, 'H'), (self.minutes, 'M')] {
                if value > 0 {
                    let _ = write!(out, "{value}{unit}");
                }
            }
            if self.fraction > 0 {
                let digits = format!("{:0DIGITS$}", self.fraction);
                let _ = write!(out, "{}.{}S", self.seconds, digits.trim_end_matches('0'));
            } else if self.seconds > 0 || self.hours + self.minutes == 0 {
                let _ = write!(out, "{}S", self.seconds);
            }
        }
    }
}

simple_value!(Duration);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_times_keep_zone_and_fraction() {
        for text in [
            "2026-11-30T23:59:00",
            "2026-11-30T23:59:00.123Z",
            "0001-01-01T00:00:00+14:00",
            "12026-02-28T00:00:00-05:30",
            "-0044-03-15T12:00:00",
            "2026-11-30T23:59:00.123456789012345678Z",
        ] {
            assert_eq!(DateTime::parse(text).unwrap().lexical(), text);
        }
        for wrong in [
            "2026-02-30T00:00:00",
            "2026-11-30",
            "2026-11-30T25:00:00",
            "2026-11-30T24:00:01",
            "26-11-30T00:00:00",
            "2026-11-30T00:00:00+15:00",
        ] {
            assert!(DateTime::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn instants_compare_across_zones() {
        let at = DateTime::parse("2026-11-30T12:00:00+01:00").unwrap();
        assert_eq!(at.compare("2026-11-30T11:00:00Z"), Some(Ordering::Equal));
        assert_eq!(at.compare("2026-12-01T00:00:00Z"), Some(Ordering::Less));
    }

    #[test]
    fn the_smaller_types_round_trip() {
        assert_eq!(Date::parse("2024-02-29Z").unwrap().lexical(), "2024-02-29Z");
        assert_eq!(Time::parse("23:59:59.5").unwrap().lexical(), "23:59:59.5");
        assert_eq!(GMonthDay::parse("--02-29").unwrap().lexical(), "--02-29");
        assert_eq!(GDay::parse("---31").unwrap().lexical(), "---31");
        for text in ["P1Y2M3DT4H5M6.7S", "-P1D", "PT0S", "PT1H"] {
            assert_eq!(Duration::parse(text).unwrap().lexical(), text);
        }
        assert_eq!(Time::parse("00:00:00.10000000000000000000").unwrap().lexical(), "00:00:00.100000000000000000");
        assert!(Time::parse("00:00:00.1234567890123456789").unwrap_err().contains("18 digits"));
        assert!(Duration::parse("P").is_err());
        assert!(Duration::parse("P1S").is_err());
    }

    #[test]
    fn a_missing_zone_is_the_configured_one() {
        let zone = FixedOffset::east_opt(3600).unwrap();
        let time = DateTime::parse("2026-11-30T00:30:00").unwrap().to_utc(zone).unwrap();
        assert_eq!(time.to_rfc3339(), "2026-11-29T23:30:00+00:00");
    }
}

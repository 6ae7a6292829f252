//! Reads generated types from JSON. Members may stand in any order; unknown ones are refused by their pointer.

use crate::problem::{ReadError, ReadErrorKind};
use crate::schema::{Choice, Facets, Field, Source, Value};
use crate::value::{JsonKind, Simple, XmlFragment, treated};
use bigdecimal::BigDecimal;
use serde_json::{Map, Value as Json};
use std::borrow::Cow;

/// JSON, read by name.
pub struct JsonSource {
    frames: Vec<Frame>,
    /// Query parameters: a value that repeats may stand alone.
    single_is_list: bool,
}

struct Frame {
    name: Segment,
    /// The value, until it is taken.
    value: Option<Json>,
    /// Its members, once it is known to be an object.
    members: Option<Map<String, Json>>,
}

#[derive(Clone, Copy)]
enum Segment {
    Root,
    Member(&'static str),
    Index(usize),
}

type Read<T> = Result<T, Box<ReadError>>;

impl JsonSource {
    pub fn new(value: Json) -> Self {
        Self { frames: vec![Frame { name: Segment::Root, value: Some(value), members: None }], single_is_list: false }
    }

    /// From query parameters, where a list of one looks like a value.
    pub fn from_query(value: Json) -> Self {
        Self { single_is_list: true, ..Self::new(value) }
    }

    /// Reads the whole.
    ///
    /// # Errors
    /// Where and why it is not of that type.
    pub fn root<T: Value>(&mut self, facets: &'static Facets) -> Read<T> {
        let value = T::read(self, facets)?;
        self.refuse_members()?;
        Ok(value)
    }

    fn pointer(&self) -> String {
        let mut out = String::new();
        for frame in &self.frames {
            match frame.name {
                Segment::Root => {}
                Segment::Member(name) => {
                    out.push('/');
                    out.push_str(&name.replace('~', "~0").replace('/', "~1"));
                }
                Segment::Index(index) => out.push_str(&format!("/{index}")),
            }
        }
        out
    }

    fn error(&self, kind: ReadErrorKind, message: impl Into<String>) -> Box<ReadError> {
        let mut error = ReadError::new(kind, message);
        error.path = self.pointer();
        error
    }

    fn name(&self) -> &'static str {
        let named = self.frames.iter().rev().find_map(|frame| match frame.name {
            Segment::Member(name) => Some(name),
            _ => None,
        });
        named.unwrap_or("the value")
    }

    fn refuse_members(&self) -> Read<()> {
        let left = self.frames.last().and_then(|f| f.members.as_ref()).and_then(|m| m.keys().next());
        match left {
            None => Ok(()),
            Some(name) => {
                let mut error = self.error(ReadErrorKind::Unexpected, format!("the member \"{name}\" is not known"));
                error.path.push('/');
                error.path.push_str(&name.replace('~', "~0").replace('/', "~1"));
                Err(error.of(name, None))
            }
        }
    }

    fn take(&mut self, member: &str) -> Option<Json> {
        self.frames.last_mut()?.members.as_mut()?.shift_remove(member)
    }

    fn inside<T>(&mut self, name: Segment, value: Json, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        self.frames.push(Frame { name, value: Some(value), members: None });
        let result = read(self)?;
        self.refuse_members()?;
        self.frames.pop();
        Ok(result)
    }

    fn missing(&self, member: &str) -> Box<ReadError> {
        let mut error = self.error(ReadErrorKind::Missing, format!("the member \"{member}\" is missing"));
        error.path.push('/');
        error.path.push_str(member);
        error.of(member, None)
    }

    /// The items of a member that repeats, each read in its frame.
    fn items<T>(&mut self, field: &'static Field, read: impl Fn(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let Some(value) = self.take(field.json) else {
            return if field.occurs.min == 0 { Ok(Vec::new()) } else { Err(self.missing(field.json)) };
        };
        let items = match value {
            Json::Array(items) => items,
            single if self.single_is_list => vec![single],
            other => {
                return self.inside(Segment::Member(field.json), other, |source| Err(source.wrong_kind("an array")));
            }
        };
        let found = items.len();
        if found > field.occurs.max as usize || found < field.occurs.min as usize {
            let message = if found < field.occurs.min as usize {
                format!("\"{}\" has {found} items, fewer than {}", field.json, field.occurs.min)
            } else {
                format!("\"{}\" has {found} items, more than {}", field.json, field.occurs.max)
            };
            return Err(self.error(ReadErrorKind::Unexpected, message).of(field.json, None));
        }
        self.inside(Segment::Member(field.json), Json::Null, |source| {
            let mut values = Vec::with_capacity(found);
            for (index, item) in items.into_iter().enumerate() {
                values.push(source.inside(Segment::Index(index), item, &read)?);
            }
            Ok(values)
        })
    }

    fn wrong_kind(&self, wanted: &str) -> Box<ReadError> {
        let found = match self.frames.last().and_then(|f| f.value.as_ref()) {
            None | Some(Json::Null) => "null",
            Some(Json::Bool(_)) => "a boolean",
            Some(Json::Number(_)) => "a number",
            Some(Json::String(_)) => "a string",
            Some(Json::Array(_)) => "an array",
            Some(Json::Object(_)) => "an object",
        };
        let name = self.name();
        self.error(ReadErrorKind::Type, format!("\"{name}\" is {found}, but must be {wanted}")).of(name, None)
    }
}

impl Source for JsonSource {
    fn begin(&mut self) -> Read<()> {
        let value = self.frames.last_mut().and_then(|frame| frame.value.take());
        match (value, self.frames.last_mut()) {
            (Some(Json::Object(members)), Some(frame)) => {
                frame.members = Some(members);
                Ok(())
            }
            (value, frame) => {
                if let Some(frame) = frame {
                    frame.value = value;
                }
                Err(self.wrong_kind("an object"))
            }
        }
    }

    fn required<T: Value>(&mut self, field: &'static Field) -> Read<T> {
        match self.take(field.json) {
            Some(value) => self.inside(Segment::Member(field.json), value, |source| T::read(source, field.facets)),
            None => Err(self.missing(field.json)),
        }
    }

    fn optional<T: Value>(&mut self, field: &'static Field) -> Read<Option<T>> {
        match self.take(field.json) {
            Some(value) => {
                self.inside(Segment::Member(field.json), value, |source| T::read(source, field.facets)).map(Some)
            }
            None => Ok(None),
        }
    }

    fn repeated<T: Value>(&mut self, field: &'static Field) -> Read<Vec<T>> {
        self.items(field, |source| T::read(source, field.facets))
    }

    fn choice<T: Choice>(&mut self) -> Read<Option<T>> {
        let Some(members) = self.frames.last().and_then(|f| f.members.as_ref()) else { return Ok(None) };
        let present: Vec<usize> =
            (0..T::BRANCHES.len()).filter(|i| members.contains_key(T::BRANCHES[*i].json)).collect();
        match present.as_slice() {
            [] => Ok(None),
            [branch] => T::read_branch(self, *branch).map(Some),
            [first, second, ..] => {
                let (first, second) = (T::BRANCHES[*first].json, T::BRANCHES[*second].json);
                let message = format!("only one of \"{first}\" and \"{second}\" can be given");
                Err(self.error(ReadErrorKind::Unexpected, message).of(second, None))
            }
        }
    }

    fn choices<T: Choice>(&mut self, field: &'static Field) -> Read<Vec<T>> {
        self.items(field, |source| {
            source.begin()?;
            match source.choice()? {
                Some(value) => Ok(value),
                None => {
                    let mut error = source.error(ReadErrorKind::Missing, "an item must have one member");
                    error.expected = T::BRANCHES.iter().map(|branch| branch.json.to_owned()).collect();
                    Err(error)
                }
            }
        })
    }

    fn any(&mut self, field: &'static Field) -> Read<Vec<XmlFragment>> {
        let fragments: Vec<String> = self.items(field, |source| source.content(&Facets::NONE))?;
        Ok(fragments.into_iter().map(XmlFragment).collect())
    }

    fn attribute<T: Simple>(&mut self, field: &'static Field) -> Read<Option<T>> {
        match self.take(field.json) {
            Some(value) => {
                self.inside(Segment::Member(field.json), value, |source| source.content(field.facets)).map(Some)
            }
            None => Ok(None),
        }
    }

    fn required_attribute<T: Simple>(&mut self, field: &'static Field) -> Read<T> {
        self.attribute(field)?.ok_or_else(|| self.missing(field.json))
    }

    fn text<T: Simple>(&mut self, facets: &'static Facets) -> Read<T> {
        match self.take("value") {
            Some(value) => self.inside(Segment::Member("value"), value, |source| source.content(facets)),
            None => Err(self.missing("value")),
        }
    }

    fn content<T: Simple>(&mut self, facets: &'static Facets) -> Read<T> {
        let wanted = match T::JSON {
            JsonKind::String => "a string",
            JsonKind::Digits | JsonKind::Number => "a number",
            JsonKind::Boolean => "true or false",
        };
        let text = match self.frames.last().and_then(|frame| frame.value.as_ref()) {
            Some(Json::String(text)) => text.clone(),
            Some(Json::Number(number)) if T::JSON == JsonKind::Number => number.to_string(),
            Some(Json::Number(number)) if T::JSON == JsonKind::Digits => written_out(number),
            Some(Json::Bool(value)) if T::JSON == JsonKind::Boolean => value.to_string(),
            _ => return Err(self.wrong_kind(wanted)),
        };
        if let Some(control) = text
            .chars()
            .find(|c| matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}'))
        {
            let name = self.name();
            let message = format!("\"{name}\" has the control character U+{:04X}", u32::from(control));
            return Err(self.error(ReadErrorKind::Type, message).of(name, None));
        }
        let text = treated(Cow::Owned(text), facets.white_space.unwrap_or(T::WHITE_SPACE));
        let name = self.name();
        let value = T::parse(&text)
            .map_err(|why| self.error(ReadErrorKind::Type, format!("\"{name}\" {why}")).of(name, Some(&text)))?;
        facets
            .check(&value, &text)
            .map_err(|why| self.error(ReadErrorKind::Facet, format!("\"{name}\" {why}")).of(name, Some(&text)))?;
        if let Some(frame) = self.frames.last_mut() {
            frame.value = None;
        }
        Ok(value)
    }

    fn nil(&mut self) -> Read<bool> {
        Ok(matches!(self.frames.last().and_then(|frame| frame.value.as_ref()), Some(Json::Null)))
    }
}

/// How many zeros an exponent may stand for.
const MAX_EXPONENT: i64 = 400;

/// A number without an exponent, as XML Schema writes decimals.
fn written_out(number: &serde_json::Number) -> String {
    let text = number.to_string();
    if !text.contains(['e', 'E']) {
        return text;
    }
    match text.parse::<BigDecimal>() {
        Ok(value) if value.fractional_digit_count().abs() <= MAX_EXPONENT => value.to_plain_string(),
        _ => text,
    }
}

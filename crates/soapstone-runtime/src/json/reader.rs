//! Reads generated types from JSON. Members may stand in any order; unknown ones are refused by their pointer.

use crate::problem::{Read, ReadError, ReadErrorKind};
use crate::schema::{Field, Group, Source, Start, TEXT_MEMBER, TypeName, Typed, Value};
use crate::value::{AnyAttribute, AnyValue, JsonKind, NoPrefixes, Simple, XmlFragment, is_fixed, treated};
use crate::xml::forbidden_character;
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
    /// What is left of the arrays of members that are being read, with how many were taken.
    arrays: Vec<(&'static str, std::vec::IntoIter<Json>)>,
}

impl Frame {
    fn new(name: Segment, value: Json) -> Self {
        Self { name, value: Some(value), members: None, arrays: Vec::new() }
    }
}

#[derive(Clone, Copy)]
enum Segment {
    Root,
    Member(&'static str),
    /// An item of that member's array.
    Item(&'static str, u32),
}

/// A value as the text that XML would have; None: it is of another kind.
fn text_of(value: &Json, kind: JsonKind) -> Option<String> {
    match (value, kind) {
        (Json::String(text), _) => Some(text.clone()),
        (Json::Number(number), JsonKind::Number | JsonKind::Any) => Some(number.to_string()),
        (Json::Number(number), JsonKind::Digits) => Some(written_out(number)),
        (Json::Bool(value), JsonKind::Boolean | JsonKind::Any) => Some(value.to_string()),
        (Json::Array(items), JsonKind::List(kind)) => {
            let texts: Option<Vec<String>> = items.iter().map(|item| text_of(item, *kind)).collect();
            // A blank would make two of one.
            let texts = texts?;
            texts.iter().all(|t| !t.is_empty() && !t.contains([' ', '\t', '\n', '\r'])).then(|| texts.join(" "))
        }
        _ => None,
    }
}

impl JsonSource {
    pub fn new(value: Json) -> Self {
        Self { frames: vec![Frame::new(Segment::Root, value)], single_is_list: false }
    }

    /// From query parameters, where a list of one looks like a value.
    pub fn from_query(value: Json) -> Self {
        Self { single_is_list: true, ..Self::new(value) }
    }

    /// Reads the whole.
    ///
    /// # Errors
    /// Where and why it is not of that type.
    pub fn root<T: Value>(&mut self, field: &'static Field) -> Read<T> {
        let value = T::read(self, field)?;
        self.refuse_members()?;
        Ok(value)
    }

    /// Sees to it that nothing is left.
    ///
    /// # Errors
    /// If a member is not known.
    pub fn finish(&self) -> Read<()> {
        self.refuse_members()
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
                Segment::Item(name, index) => {
                    out.push('/');
                    out.push_str(&name.replace('~', "~0").replace('/', "~1"));
                    out.push_str(&format!("/{index}"));
                }
            }
        }
        out
    }

    fn fault(&self, kind: ReadErrorKind, message: impl Into<String>) -> Box<ReadError> {
        let mut error = ReadError::new(kind, message);
        error.path = self.pointer();
        error
    }

    fn name(&self) -> &'static str {
        let named = self.frames.iter().rev().find_map(|frame| match frame.name {
            Segment::Member(name) | Segment::Item(name, _) => Some(name),
            Segment::Root => None,
        });
        named.unwrap_or("the value")
    }

    fn refuse_members(&self) -> Read<()> {
        let left = self.frames.last().and_then(|f| f.members.as_ref()).and_then(|m| m.keys().next());
        match left {
            None => Ok(()),
            Some(name) => {
                let mut error = self.fault(ReadErrorKind::Unexpected, format!("the member \"{name}\" is not known"));
                error.path.push('/');
                error.path.push_str(&name.replace('~', "~0").replace('/', "~1"));
                Err(error.of(name, None))
            }
        }
    }

    fn take(&mut self, member: &str) -> Option<Json> {
        self.frames.last_mut()?.members.as_mut()?.shift_remove(member)
    }

    fn go_in(&mut self, name: Segment, value: Json) {
        self.frames.push(Frame::new(name, value));
    }

    fn go_out(&mut self) -> Read<()> {
        self.refuse_members()?;
        self.frames.pop();
        Ok(())
    }

    fn missing_member(&self, member: &str) -> Box<ReadError> {
        let mut error = self.fault(ReadErrorKind::Missing, format!("the member \"{member}\" is missing"));
        error.path.push('/');
        error.path.push_str(member);
        error.of(member, None)
    }

    /// Takes the next item of a member that is an array; None at its end, or if there is no such member.
    fn item(&mut self, json: &'static str, index: u32) -> Read<Option<Json>> {
        if index == 1 {
            let Some(value) = self.take(json) else { return Ok(None) };
            let items = match value {
                Json::Array(items) => items,
                single if self.single_is_list => vec![single],
                other => {
                    self.go_in(Segment::Member(json), other);
                    return Err(self.wrong_kind("an array"));
                }
            };
            if let Some(frame) = self.frames.last_mut() {
                frame.arrays.push((json, items.into_iter()));
            }
        }
        let Some(frame) = self.frames.last_mut() else { return Ok(None) };
        let Some(at) = frame.arrays.iter().rposition(|(name, _)| *name == json) else { return Ok(None) };
        let item = frame.arrays[at].1.next();
        if item.is_none() {
            frame.arrays.remove(at);
        }
        Ok(item)
    }

    /// XML that stands in a string: one element, well-formed.
    fn whole(&self, text: String) -> Read<String> {
        match crate::xml::check_fragment(&text) {
            Ok(()) => Ok(text),
            Err(why) => {
                let name = self.name();
                Err(self
                    .fault(ReadErrorKind::Malformed, format!("\"{name}\" is not an element: {why}"))
                    .of(name, Some(&text)))
            }
        }
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
        if self.frames.len() == 1 {
            return self.fault(ReadErrorKind::Type, format!("the body is {found}, but must be {wanted}"));
        }
        let name = self.name();
        self.fault(ReadErrorKind::Type, format!("\"{name}\" is {found}, but must be {wanted}")).of(name, None)
    }
}

impl Source for JsonSource {
    fn nil(&mut self) -> Read<bool> {
        Ok(matches!(self.frames.last().and_then(|frame| frame.value.as_ref()), Some(Json::Null)))
    }

    fn typed(&mut self, types: &'static [&'static TypeName]) -> Read<Typed> {
        let Some(Json::Object(members)) = self.frames.last_mut().and_then(|frame| frame.value.as_mut()) else {
            return Ok(Typed::Declared);
        };
        let Some(name) = members.shift_remove("@type") else { return Ok(Typed::Declared) };
        let name = name.as_str().unwrap_or_default();
        let (namespace, local) = match name.strip_prefix('{').and_then(|rest| rest.rsplit_once('}')) {
            Some((namespace, local)) => (Some(namespace), local),
            None => (None, name),
        };
        let matches = |t: &&'static TypeName| t.local == local && namespace.is_none_or(|ns| ns == t.namespace);
        match types.iter().position(matches) {
            Some(index) => Ok(Typed::Known(index)),
            None => {
                let message = format!("\"@type\" is \"{name}\", which the contract does not know here");
                let mut error = self.fault(ReadErrorKind::Type, message);
                error.expected = types.iter().map(|t| t.local.to_owned()).collect();
                error.path.push_str("/@type");
                Err(error.of("@type", Some(name)))
            }
        }
    }

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

    fn attribute<T: Simple>(&mut self, field: &'static Field) -> Read<Option<T>> {
        let Some(value) = self.take(field.json) else { return Ok(None) };
        self.go_in(Segment::Member(field.json), value);
        let value = self.content(field)?;
        self.go_out()?;
        Ok(Some(value))
    }

    fn required_attribute<T: Simple>(&mut self, field: &'static Field) -> Read<T> {
        self.attribute(field)?.ok_or_else(|| self.missing_member(field.json))
    }

    fn any_attributes(&mut self, field: &'static Field) -> Read<Vec<AnyAttribute>> {
        let Some(value) = self.take(field.json) else { return Ok(Vec::new()) };
        self.go_in(Segment::Member(field.json), value);
        self.begin()?;
        let members = self.frames.last_mut().and_then(|frame| frame.members.take()).unwrap_or_default();
        let mut found = Vec::new();
        for (name, value) in members {
            let Json::String(value) = value else { return Err(self.wrong_kind("an object of strings")) };
            let (namespace, local) = match name.strip_prefix('{').and_then(|rest| rest.rsplit_once('}')) {
                Some((namespace, local)) => (namespace, local),
                None => ("", name.as_str()),
            };
            found.push(AnyAttribute { namespace: namespace.to_owned(), local: local.to_owned(), value });
        }
        self.frames.pop();
        Ok(found)
    }

    fn text<T: Simple>(&mut self, field: &'static Field) -> Read<T> {
        match self.take("value") {
            Some(value) => {
                self.go_in(Segment::Member("value"), value);
                let value = self.content(field)?;
                self.go_out()?;
                Ok(value)
            }
            None => Err(self.missing_member("value")),
        }
    }

    fn content<T: Simple>(&mut self, field: &'static Field) -> Read<T> {
        let wanted = match T::JSON {
            JsonKind::String => "a string",
            JsonKind::Digits | JsonKind::Number => "a number",
            JsonKind::Boolean => "true or false",
            JsonKind::Any => "a string, a number, true or false",
            JsonKind::List(_) => "an array of values without blanks",
        };
        let value = self.frames.last().and_then(|frame| frame.value.as_ref());
        let text = match value.and_then(|value| text_of(value, T::JSON)) {
            Some(text) => text,
            None => return Err(self.wrong_kind(wanted)),
        };
        let name = self.name();
        if let Some(control) = forbidden_character(&text) {
            let message = format!("\"{name}\" has the control character U+{:04X}", u32::from(control));
            return Err(self.fault(ReadErrorKind::Type, message).of(name, None));
        }
        let shown =
            |text: &str| treated(Cow::Borrowed(text), field.facets.white_space.unwrap_or(T::WHITE_SPACE)).into_owned();
        let value = T::read_text(Cow::Borrowed(&text), field.facets, &NoPrefixes).map_err(|wrong| {
            let kind = if wrong.facet { ReadErrorKind::Facet } else { ReadErrorKind::Type };
            self.fault(kind, format!("\"{name}\" {}", wrong.why)).of(name, Some(&shown(&text)))
        })?;
        if let Some(fixed) = field.fixed
            && !is_fixed::<T>(&value, &text, fixed, field.facets)
        {
            let message = format!("\"{name}\" must be the fixed value {fixed}");
            return Err(self.fault(ReadErrorKind::Facet, message).of(name, Some(&text)));
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.value = None;
        }
        Ok(value)
    }

    fn any_value(&mut self) -> Read<AnyValue> {
        let text = match self.frames.last_mut().and_then(|frame| frame.value.take()) {
            Some(Json::String(text)) if text.starts_with('<') => return Ok(AnyValue::Xml(self.whole(text)?)),
            Some(Json::String(text)) => text,
            Some(Json::Number(number)) => number.to_string(),
            Some(Json::Bool(value)) => value.to_string(),
            None | Some(Json::Null) => String::new(),
            value => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.value = value;
                }
                return Err(self.wrong_kind("a text, or an element as XML in a string"));
            }
        };
        match forbidden_character(&text) {
            None => Ok(AnyValue::Text(text)),
            Some(control) => {
                let message = format!("a text has the control character U+{:04X}", u32::from(control));
                Err(self.fault(ReadErrorKind::Type, message))
            }
        }
    }

    fn enter(&mut self, field: &'static Field, index: u32) -> Read<bool> {
        let (segment, value) = if index == 0 {
            (Segment::Member(field.json), self.take(field.json))
        } else {
            (Segment::Item(field.json, index - 1), self.item(field.json, index)?)
        };
        let Some(value) = value else { return Ok(false) };
        self.go_in(segment, value);
        Ok(true)
    }

    fn enter_any(&mut self, field: &'static Field, index: u32) -> Read<bool> {
        self.enter(field, index)
    }

    fn leave(&mut self) -> Read<()> {
        self.go_out()
    }

    fn enter_round(&mut self, group: &'static Group, _starts: &'static [Start], index: u32) -> Read<bool> {
        let Some(value) = self.item(group.json, index)? else { return Ok(false) };
        let value = match value {
            Json::String(_) if group.mixed => Json::Object(Map::from_iter([(TEXT_MEMBER.to_owned(), value)])),
            other => other,
        };
        self.go_in(Segment::Item(group.json, index - 1), value);
        self.begin()?;
        Ok(true)
    }

    fn leave_round(&mut self) -> Read<()> {
        self.go_out()
    }

    fn branch(&mut self, starts: &'static [Start]) -> Read<Option<usize>> {
        let Some(members) = self.frames.last().and_then(|f| f.members.as_ref()) else { return Ok(None) };
        let present: Vec<&Start> = starts.iter().filter(|start| members.contains_key(start.json())).collect();
        let count = |branch: usize| present.iter().filter(|start| start.branch == branch).count();
        // The branch that has most of what is there; of equal ones the first.
        let mut best: Option<(usize, usize)> = None;
        for start in &present {
            let found = count(start.branch);
            if best.is_none_or(|(_, most)| found > most) {
                best = Some((start.branch, found));
            }
        }
        let Some((branch, _)) = best else { return Ok(None) };
        let belongs = |start: &&&Start| starts.iter().any(|s| s.branch == branch && s.json() == start.json());
        match present.iter().find(|start| !belongs(start)) {
            None => Ok(Some(branch)),
            Some(other) => {
                let first = present.iter().find(belongs).map_or("", |start| start.json());
                let other = other.json();
                let (first, second) =
                    if position(starts, first) < position(starts, other) { (first, other) } else { (other, first) };
                let message = format!("only one of \"{first}\" and \"{second}\" can be given");
                Err(self.fault(ReadErrorKind::Unexpected, message).of(second, None))
            }
        }
    }

    fn next_of(&mut self, starts: &'static [Start]) -> Read<Option<usize>> {
        let Some(members) = self.frames.last().and_then(|f| f.members.as_ref()) else { return Ok(None) };
        Ok(starts.iter().find(|start| members.contains_key(start.json())).map(|start| start.branch))
    }

    fn any(&mut self, field: &'static Field, index: u32) -> Read<Option<XmlFragment>> {
        if !self.enter(field, index)? {
            return Ok(None);
        }
        let text = match self.frames.last_mut().and_then(|frame| frame.value.take()) {
            Some(Json::String(text)) => self.whole(text)?,
            value => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.value = value;
                }
                return Err(self.wrong_kind("an element as XML in a string"));
            }
        };
        self.go_out()?;
        Ok(Some(XmlFragment(text)))
    }

    fn mixed_text(&mut self) -> Read<String> {
        static TEXT: Field = Field::unqualified(TEXT_MEMBER);
        Source::required(self, &TEXT)
    }

    fn missing(&self, field: &'static Field) -> Box<ReadError> {
        self.missing_member(field.json)
    }

    fn no_branch(&self, starts: &'static [Start]) -> Box<ReadError> {
        let mut names: Vec<_> = starts.iter().map(Start::json).collect();
        names.dedup();
        if let [only] = names.as_slice() {
            return self.missing_member(only);
        }
        let mut error = self.fault(ReadErrorKind::Missing, format!("one of {} is missing", names.join(", ")));
        error.expected = names.iter().map(|name| (*name).to_owned()).collect();
        error
    }

    fn error(&self, kind: ReadErrorKind, message: String) -> Box<ReadError> {
        self.fault(kind, message)
    }
}

fn position(starts: &[Start], json: &str) -> usize {
    starts.iter().position(|start| start.json() == json).unwrap_or(usize::MAX)
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

//! From any source to any sink, in one pass and with nothing kept between: XML to JSON and back.

use super::shapes::{FieldShape, Holds, MessageShape, Shape, Shapes, SimpleShape};
use soapstone_codegen::program::Kind;
use soapstone_runtime as rt;
use soapstone_runtime::attachment::Attachments;
use soapstone_runtime::json::{JsonSink, JsonSource};
use soapstone_runtime::xml::{Scope, XmlSink, XmlSource};
use soapstone_runtime::{
    Facets, Field, JsonKind, NoPrefixes, Read, ReadErrorKind, Simple, Sink, Source, Typed, WhiteSpace,
};
use std::borrow::Cow;
use std::cmp::Ordering;

/// A message's XML as JSON.
///
/// # Errors
/// Where and why it is not that message.
pub fn json_of(shapes: &Shapes, message: &MessageShape, text: &str, scope: Scope<'_>) -> Read<String> {
    let mut sink = JsonSink::default();
    read_xml(shapes, message, XmlSource::within(text, scope.outer(), (1, 1)), &mut sink)?;
    Ok(sink.finish())
}

/// A message's XML, read and written anew.
///
/// # Errors
/// Where and why it is not that message.
pub fn xml_of(shapes: &Shapes, message: &MessageShape, text: &str, scope: Scope<'_>) -> Read<String> {
    xml_with(shapes, message, text, scope, Attachments::default())
}

/// A message's XML, read and written anew with what it refers to in its place.
///
/// # Errors
/// Where and why it is not that message.
pub fn xml_with(
    shapes: &Shapes,
    message: &MessageShape,
    text: &str,
    scope: Scope<'_>,
    attachments: Attachments,
) -> Read<String> {
    let source = XmlSource::within(text, scope.outer(), (1, 1)).attached(attachments);
    let mut sink = sink_of(message);
    if message.element.local.is_empty() {
        read_xml(shapes, message, source, &mut sink)?;
    } else {
        sink.open(message.element);
        read_xml(shapes, message, source, &mut sink)?;
        sink.close(message.element);
    }
    Ok(sink.finish())
}

/// A message's JSON as XML.
///
/// # Errors
/// Where and why it is not that message.
pub fn xml_of_json(shapes: &Shapes, message: &MessageShape, value: serde_json::Value, query: bool) -> Read<String> {
    let mut source = if query { JsonSource::from_query(value) } else { JsonSource::new(value) };
    let mut sink = sink_of(message);
    let whole = !message.element.local.is_empty();
    if whole {
        sink.open(message.element);
    }
    Copier { shapes }.item(message.item, &mut source, &mut sink)?;
    source.finish()?;
    if whole {
        sink.close(message.element);
    }
    Ok(sink.finish())
}

fn sink_of(message: &MessageShape) -> XmlSink {
    let sink = XmlSink::new(message.namespaces);
    if message.encoded { sink.encoded() } else { sink }
}

fn read_xml<K: Sink>(shapes: &Shapes, message: &MessageShape, mut source: XmlSource<'_>, sink: &mut K) -> Read<()> {
    let copier = Copier { shapes };
    if message.element.local.is_empty() {
        copier.item(message.item, &mut source, sink)?;
        return source.end_of_elements();
    }
    if !source.enter(message.element, 0)? {
        return Err(source.missing(message.element));
    }
    copier.item(message.item, &mut source, sink)?;
    source.leave()?;
    source.finish()
}

struct Copier<'a> {
    shapes: &'a Shapes,
}

impl Copier<'_> {
    /// The content of the element entered.
    fn item<S: Source, K: Sink>(&self, item: usize, source: &mut S, sink: &mut K) -> Read<()> {
        match &self.shapes.items[item] {
            Shape::Struct { fields, starts, array } => {
                source.begin()?;
                sink.begin();
                if let (Some(type_name), Some(items)) = (array, fields.first()) {
                    // How many there are is known only when all are read.
                    return self.array(type_name, items, source, sink);
                }
                match starts {
                    None => self.sequence(fields, source, sink)?,
                    Some(starts) => self.all(fields, starts, source, sink)?,
                }
                sink.end();
                Ok(())
            }
            Shape::Poly { types, items, is_abstract, name } => match source.typed(types)? {
                Typed::Declared if *is_abstract => Err(source.abstract_type(name)),
                Typed::Declared => self.item(items[0], source, sink),
                Typed::Known(number) => {
                    if number > 0 || *is_abstract {
                        sink.typed(types[number]);
                    }
                    self.item(items[number], source, sink)
                }
                Typed::Unknown => {
                    let value = source.any_value()?;
                    sink.any_value(&value);
                    Ok(())
                }
            },
            Shape::Wrapper(inner) => self.value(inner, source, sink),
            Shape::Group { .. } | Shape::Choice { .. } | Shape::Simple => {
                let message = "the contract has no element of this type".to_owned();
                Err(source.error(ReadErrorKind::Unexpected, message))
            }
        }
    }

    /// Items of an encoded array, written aside first: their number comes before them.
    fn array<S: Source, K: Sink>(
        &self,
        type_name: &'static soapstone_runtime::TypeName,
        items: &FieldShape,
        source: &mut S,
        sink: &mut K,
    ) -> Read<()> {
        let mut values: Vec<ArrayItem> = Vec::new();
        let mut index = 1;
        while source.enter_any(items.field, index)? {
            let nil = source.nil()?;
            let mut aside = XmlSink::new(&[]).encoded();
            if !nil {
                aside.open(items.field);
                self.bare_value(items, source, &mut aside)?;
                aside.close(items.field);
            }
            source.leave()?;
            values.push(ArrayItem { nil, xml: aside.finish() });
            index += 1;
        }
        sink.array_type(type_name, values.len());
        sink.open_list(items.field.json);
        for value in values {
            sink.open_item(items.field);
            if value.nil {
                sink.nil();
            } else {
                let mut source = XmlSource::new(&value.xml);
                if source.enter(items.field, 0)? {
                    self.bare_value(items, &mut source, sink)?;
                }
            }
            sink.close_item(items.field);
        }
        sink.close_list();
        sink.end();
        Ok(())
    }

    fn sequence<S: Source, K: Sink>(&self, fields: &[FieldShape], source: &mut S, sink: &mut K) -> Read<()> {
        fields.iter().try_for_each(|field| self.field(field, source, sink))
    }

    fn all<S: Source, K: Sink>(
        &self,
        fields: &[FieldShape],
        starts: &'static [soapstone_runtime::Start],
        source: &mut S,
        sink: &mut K,
    ) -> Read<()> {
        let (elements, others): (Vec<_>, Vec<_>) = fields.iter().partition(|f| f.kind == Kind::Element);
        others.into_iter().try_for_each(|field| self.field(field, source, sink))?;
        let mut seen = vec![false; elements.len()];
        while let Some(number) = source.next_of(starts)? {
            let field = elements[number];
            if std::mem::replace(&mut seen[number], true) {
                return Err(source.too_many(field.field.local, 1));
            }
            self.element(field, source, sink)?;
        }
        match elements.iter().zip(seen).find(|(field, seen)| !seen && !field.optional) {
            Some((field, _)) => Err(source.missing(field.field)),
            None => Ok(()),
        }
    }

    fn field<S: Source, K: Sink>(&self, shape: &FieldShape, source: &mut S, sink: &mut K) -> Read<()> {
        let field = shape.field;
        match (shape.kind, &shape.holds) {
            (Kind::Attribute, Holds::Simple(simple)) => {
                let place = Place::Attribute { optional: shape.optional };
                simple_value(simple, place, field, source, sink)
            }
            (Kind::AnyAttribute, _) => {
                let attributes = source.any_attributes(field)?;
                sink.any_attributes(field, &attributes);
                Ok(())
            }
            (Kind::Text, Holds::Simple(simple)) => simple_value(simple, Place::Text, field, source, sink),
            (Kind::Any, _) if shape.repeats => {
                let fragments = source.repeated_any(field)?;
                sink.repeated_any(field, &fragments);
                Ok(())
            }
            (Kind::Any, _) => {
                let fragment = if shape.optional { source.any(field, 0)? } else { Some(source.required_any(field)?) };
                if let Some(fragment) = fragment {
                    sink.any(field, &fragment);
                }
                Ok(())
            }
            (Kind::Group, Holds::Item(item)) => self.group(shape, *item, source, sink),
            _ if shape.repeats => {
                sink.open_list(field.json);
                let mut count = 0;
                while source.enter(field, count + 1)? {
                    if count >= field.occurs.max {
                        return Err(source.too_many(field.local, field.occurs.max));
                    }
                    sink.open_item(field);
                    self.value(shape, source, sink)?;
                    source.leave()?;
                    sink.close_item(field);
                    count += 1;
                }
                sink.close_list();
                if count < field.occurs.min { Err(source.missing(field)) } else { Ok(()) }
            }
            _ => self.element(shape, source, sink),
        }
    }

    fn element<S: Source, K: Sink>(&self, shape: &FieldShape, source: &mut S, sink: &mut K) -> Read<()> {
        if !source.enter(shape.field, 0)? {
            return if shape.optional { Ok(()) } else { Err(source.missing(shape.field)) };
        }
        sink.open(shape.field);
        self.value(shape, source, sink)?;
        source.leave()?;
        sink.close(shape.field);
        Ok(())
    }

    fn group<S: Source, K: Sink>(&self, shape: &FieldShape, item: usize, source: &mut S, sink: &mut K) -> Read<()> {
        let starts = match &self.shapes.items[item] {
            Shape::Group { starts, .. } | Shape::Choice { starts, .. } => starts,
            _ => return Ok(()),
        };
        let Some(group) = shape.group else {
            if shape.optional && source.branch(starts)?.is_none() {
                return Ok(());
            }
            return self.particles(item, source, sink);
        };
        sink.open_list(group.json);
        let mut count = 0;
        while source.enter_round(group, starts, count + 1)? {
            if count >= group.occurs.max {
                return Err(source.too_many(group.json, group.occurs.max));
            }
            sink.open_round();
            self.particles(item, source, sink)?;
            source.leave_round()?;
            sink.close_round();
            count += 1;
        }
        sink.close_list();
        if count < group.occurs.min { Err(source.no_branch(starts)) } else { Ok(()) }
    }

    fn particles<S: Source, K: Sink>(&self, item: usize, source: &mut S, sink: &mut K) -> Read<()> {
        match &self.shapes.items[item] {
            Shape::Group { fields, .. } => self.sequence(fields, source, sink),
            Shape::Choice { branches, starts } => {
                let Some(branch) = source.branch(starts)? else { return Err(source.no_branch(starts)) };
                let branch = &branches[branch];
                if branch.kind == Kind::Text {
                    let text = source.mixed_text()?;
                    sink.mixed_text(&text);
                    return Ok(());
                }
                self.field(branch, source, sink)
            }
            _ => Ok(()),
        }
    }

    /// The content of an element, or that it is nil.
    fn value<S: Source, K: Sink>(&self, shape: &FieldShape, source: &mut S, sink: &mut K) -> Read<()> {
        if shape.nillable && source.nil()? {
            sink.nil();
            return Ok(());
        }
        self.bare_value(shape, source, sink)
    }

    fn bare_value<S: Source, K: Sink>(&self, shape: &FieldShape, source: &mut S, sink: &mut K) -> Read<()> {
        match &shape.holds {
            Holds::Simple(simple) => simple_value(simple, Place::Content, shape.field, source, sink),
            Holds::Item(item) => self.item(*item, source, sink),
            Holds::AnyValue | Holds::Fragment | Holds::AnyAttributes => {
                let value = source.any_value()?;
                sink.any_value(&value);
                Ok(())
            }
        }
    }
}

struct ArrayItem {
    nil: bool,
    xml: String,
}

/// Where a simple value stands.
#[derive(Clone, Copy)]
enum Place {
    Content,
    Text,
    Attribute { optional: bool },
}

/// A value of a union: its text, whatever JSON has it as.
struct Loose(String);

impl Simple for Loose {
    const JSON: JsonKind = JsonKind::Any;
    const WHITE_SPACE: WhiteSpace = WhiteSpace::Preserve;

    fn parse(text: &str) -> Result<Self, Cow<'static, str>> {
        Ok(Self(text.to_owned()))
    }

    fn append(&self, out: &mut String) {
        out.push_str(&self.0);
    }

    fn compare(&self, bound: &str) -> Option<Ordering> {
        (self.0.trim() == bound).then_some(Ordering::Equal)
    }
}

/// Something to be done with a simple type.
trait Carry {
    type Outcome;

    fn carry<T: Simple>(&mut self) -> Self::Outcome;
}

/// Does it with the Rust type of that name, or with lists of it.
fn with_type<C: Carry>(name: &str, list: bool, carrier: &mut C) -> C::Outcome {
    macro_rules! one_of {
        ($($text:literal $type:ty),* $(,)?) => {
            match (name, list) {
                $(
                    ($text, false) => carrier.carry::<$type>(),
                    ($text, true) => carrier.carry::<Vec<$type>>(),
                )*
                (_, false) => carrier.carry::<String>(),
                (_, true) => carrier.carry::<Vec<String>>(),
            }
        };
    }
    one_of!(
        "bool" bool, "i8" i8, "i16" i16, "i32" i32, "i64" i64, "u8" u8, "u16" u16, "u32" u32, "u64" u64,
        "f32" f32, "f64" f64, "rt::Decimal" rt::Decimal, "rt::Integer" rt::Integer, "rt::Duration" rt::Duration,
        "rt::DateTime" rt::DateTime, "rt::Time" rt::Time, "rt::Date" rt::Date, "rt::GYearMonth" rt::GYearMonth,
        "rt::GYear" rt::GYear, "rt::GMonthDay" rt::GMonthDay, "rt::GDay" rt::GDay, "rt::GMonth" rt::GMonth,
        "rt::HexBinary" rt::HexBinary, "rt::Base64Binary" rt::Base64Binary, "rt::QName" rt::QName,
    )
}

fn simple_value<S: Source, K: Sink>(
    shape: &SimpleShape,
    place: Place,
    field: &'static Field,
    source: &mut S,
    sink: &mut K,
) -> Read<()> {
    let (inner, list) = match shape {
        SimpleShape::List(item) => (&**item, true),
        other => (other, false),
    };
    match inner {
        SimpleShape::Rust(name) => with_type(name, list, &mut Way { place, field, source, sink }),
        SimpleShape::Enumeration | SimpleShape::List(_) => {
            with_type("String", list, &mut Way { place, field, source, sink })
        }
        SimpleShape::Union(members) => {
            let fits = |text: &str| members.iter().any(|(member, facets)| fits(member, facets, text));
            let none_fits = |source: &S, text: &str| {
                let message = format!("\"{}\" is of no type of its union", field.local);
                source.error(ReadErrorKind::Type, message).of(field.local, Some(text))
            };
            if list {
                let Some(values) = take::<Vec<Loose>, _>(place, field, source)? else { return Ok(()) };
                if let Some(value) = values.iter().find(|value| !fits(&value.0)) {
                    return Err(none_fits(source, &value.0));
                }
                give(place, field, &values, sink);
            } else {
                let Some(value) = take::<Loose, _>(place, field, source)? else { return Ok(()) };
                if !fits(&value.0) {
                    return Err(none_fits(source, &value.0));
                }
                give(place, field, &value, sink);
            }
            Ok(())
        }
    }
}

/// Whether a member of a union takes a text.
fn fits(shape: &SimpleShape, facets: &'static Facets, text: &str) -> bool {
    let (inner, list) = match shape {
        SimpleShape::List(item) => (&**item, true),
        other => (other, false),
    };
    match inner {
        SimpleShape::Rust("rt::QName") => true,
        SimpleShape::Rust(name) => with_type(name, list, &mut Trial { text, facets }),
        SimpleShape::Union(members) => members.iter().any(|(member, facets)| fits(member, facets, text)),
        SimpleShape::Enumeration | SimpleShape::List(_) => with_type("String", list, &mut Trial { text, facets }),
    }
}

/// Whether a text can be read.
struct Trial<'a> {
    text: &'a str,
    facets: &'static Facets,
}

impl Carry for Trial<'_> {
    type Outcome = bool;

    fn carry<T: Simple>(&mut self) -> bool {
        T::read_text(Cow::Borrowed(self.text), self.facets, &NoPrefixes).is_ok()
    }
}

fn take<T: Simple, S: Source>(place: Place, field: &'static Field, source: &mut S) -> Read<Option<T>> {
    match place {
        Place::Content => source.content(field).map(Some),
        Place::Text => source.text(field).map(Some),
        Place::Attribute { optional: true } => source.attribute(field),
        Place::Attribute { optional: false } => source.required_attribute(field).map(Some),
    }
}

fn give<T: Simple, K: Sink>(place: Place, field: &'static Field, value: &T, sink: &mut K) {
    match place {
        Place::Content => sink.content(value),
        Place::Text => sink.text(value),
        Place::Attribute { .. } => sink.attribute(field, Some(value)),
    }
}

/// From where to where a value goes.
struct Way<'a, S, K> {
    place: Place,
    field: &'static Field,
    source: &'a mut S,
    sink: &'a mut K,
}

impl<S: Source, K: Sink> Carry for Way<'_, S, K> {
    type Outcome = Read<()>;

    fn carry<T: Simple>(&mut self) -> Read<()> {
        if let Some(value) = take::<T, S>(self.place, self.field, self.source)? {
            give(self.place, self.field, &value, self.sink);
        }
        Ok(())
    }
}

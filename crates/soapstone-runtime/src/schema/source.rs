//! The interface that generated code reads through: XML text and JSON alike.

use super::{Field, Group, Start, TypeName, Wildcard};
use crate::problem::{Read, ReadError, ReadErrorKind};
use crate::value::{AnyAttribute, AnyValue, Simple, XmlFragment};

/// A type of a contract that can be the content of an element: readable from any source, writable to any sink.
pub trait Value: Sized {
    /// Reads the value of the element or member that the source has entered.
    ///
    /// # Errors
    /// Where and why the input is not of this type.
    fn read<S: Source>(source: &mut S, field: &'static Field) -> Read<Self>;

    /// Writes the value into the element or member that the sink has opened.
    fn write<K: super::Sink>(&self, sink: &mut K);
}

/// A sequence or choice without an element of its own.
pub trait Particles: Sized {
    /// What it can begin with.
    const STARTS: &'static [Start];

    /// Reads it, where it begins.
    ///
    /// # Errors
    /// Where and why the input does not fit.
    fn read_particles<S: Source>(source: &mut S) -> Read<Self>;

    /// Writes its elements.
    fn write_particles<K: super::Sink>(&self, sink: &mut K);
}

impl<T: Particles> Particles for Box<T> {
    const STARTS: &'static [Start] = T::STARTS;

    fn read_particles<S: Source>(source: &mut S) -> Read<Self> {
        T::read_particles(source).map(Self::new)
    }

    fn write_particles<K: super::Sink>(&self, sink: &mut K) {
        (**self).write_particles(sink);
    }
}

/// What `xsi:type` says of the element entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// Nothing: the declared type holds.
    Declared,
    /// The type with that index.
    Known(usize),
    /// One that the contract does not know.
    Unknown,
}

/// Where a value is read from.
pub trait Source: Sized {
    /// Whether the element entered is nil.
    ///
    /// # Errors
    /// If `xsi:nil` is no boolean.
    fn nil(&mut self) -> Read<bool>;

    /// What type the element entered says it has.
    ///
    /// # Errors
    /// If `xsi:type` cannot be read.
    fn typed(&mut self, types: &'static [&'static TypeName]) -> Read<Typed>;

    /// Starts a value with attributes and children.
    ///
    /// # Errors
    /// If there is no such value here.
    fn begin(&mut self) -> Read<()>;

    /// An attribute.
    ///
    /// # Errors
    /// If its value is wrong.
    fn attribute<T: Simple>(&mut self, field: &'static Field) -> Read<Option<T>>;

    /// The attributes that nobody asked for, where the contract lets them stand.
    ///
    /// # Errors
    /// If one is in a namespace that is not allowed.
    fn any_attributes(&mut self, field: &'static Field) -> Read<Vec<AnyAttribute>>;

    /// The text of an element that may have attributes as well (`simpleContent`).
    ///
    /// # Errors
    /// If it is wrong.
    fn text<T: Simple>(&mut self, field: &'static Field) -> Read<T>;

    /// The value of an element that is nothing but a value.
    ///
    /// # Errors
    /// If it is wrong.
    fn content<T: Simple>(&mut self, field: &'static Field) -> Read<T>;

    /// The element entered as it stands (`xs:anyType`).
    ///
    /// # Errors
    /// If it is not well-formed.
    fn any_value(&mut self) -> Read<AnyValue>;

    /// Goes into the element, if it is the one that comes next; `index` counts from 1 where it repeats, and is 0
    /// where it does not.
    ///
    /// # Errors
    /// If what comes next cannot be read.
    fn enter(&mut self, field: &'static Field, index: u32) -> Read<bool>;

    /// Leaves the element entered.
    ///
    /// # Errors
    /// If something is left in it.
    fn leave(&mut self) -> Read<()>;

    /// Goes into an element of any name, if one comes next: an item of an encoded array.
    ///
    /// # Errors
    /// As [`enter`](Self::enter).
    fn enter_any(&mut self, field: &'static Field, index: u32) -> Read<bool>;

    /// Begins one round of a group that repeats, if it begins here; `index` counts from 1.
    ///
    /// # Errors
    /// If what comes next cannot be read.
    fn enter_round(&mut self, group: &'static Group, starts: &'static [Start], index: u32) -> Read<bool>;

    /// Ends the round.
    ///
    /// # Errors
    /// If something is left in it.
    fn leave_round(&mut self) -> Read<()>;

    /// The branch that begins here.
    ///
    /// # Errors
    /// If what comes next cannot be read.
    fn branch(&mut self, starts: &'static [Start]) -> Read<Option<usize>>;

    /// Which of the elements of `xs:all` comes next.
    ///
    /// # Errors
    /// If what comes next cannot be read.
    fn next_of(&mut self, starts: &'static [Start]) -> Read<Option<usize>>;

    /// An element of a wildcard, if one comes next.
    ///
    /// # Errors
    /// If it is not well-formed.
    fn any(&mut self, field: &'static Field, index: u32) -> Read<Option<XmlFragment>>;

    /// The piece of text that comes next in mixed content.
    ///
    /// # Errors
    /// If it cannot be read.
    fn mixed_text(&mut self) -> Read<String>;

    /// The error for what is not there.
    fn missing(&self, field: &'static Field) -> Box<ReadError>;

    /// The error for a choice that is not made.
    fn no_branch(&self, starts: &'static [Start]) -> Box<ReadError>;

    /// An error at the present place.
    fn error(&self, kind: ReadErrorKind, message: String) -> Box<ReadError>;

    /// An attribute that must be there.
    ///
    /// # Errors
    /// If it is missing, or its value is wrong.
    fn required_attribute<T: Simple>(&mut self, field: &'static Field) -> Read<T> {
        self.attribute(field)?.ok_or_else(|| {
            let message = format!("the attribute \"{}\" is missing", field.local);
            self.error(ReadErrorKind::Missing, message).of(field.local, None)
        })
    }

    /// The content of the element just entered, and its end.
    ///
    /// # Errors
    /// If it is wrong.
    fn entered<T: Value>(&mut self, field: &'static Field) -> Read<T> {
        let value = T::read(self, field)?;
        self.leave()?;
        Ok(value)
    }

    /// An element that must be there.
    ///
    /// # Errors
    /// If it is missing, or wrong.
    fn required<T: Value>(&mut self, field: &'static Field) -> Read<T> {
        if self.enter(field, 0)? { self.entered(field) } else { Err(self.missing(field)) }
    }

    /// An element that may be there.
    ///
    /// # Errors
    /// If it is wrong.
    fn optional<T: Value>(&mut self, field: &'static Field) -> Read<Option<T>> {
        if self.enter(field, 0)? { self.entered(field).map(Some) } else { Ok(None) }
    }

    /// An element that may repeat.
    ///
    /// # Errors
    /// If one is wrong, or there are too few or too many.
    fn repeated<T: Value>(&mut self, field: &'static Field) -> Read<Vec<T>> {
        let mut values = Vec::new();
        while self.enter(field, ordinal(values.len()))? {
            if values.len() >= field.occurs.max as usize {
                return Err(self.too_many(field.local, field.occurs.max));
            }
            values.push(self.entered(field)?);
        }
        if values.len() < field.occurs.min as usize { Err(self.missing(field)) } else { Ok(values) }
    }

    /// The items of an encoded array, whatever their elements are called.
    ///
    /// # Errors
    /// If one is wrong.
    fn items<T: Value>(&mut self, field: &'static Field) -> Read<Vec<T>> {
        let mut values = Vec::new();
        while self.enter_any(field, ordinal(values.len()))? {
            values.push(self.entered(field)?);
        }
        Ok(values)
    }

    /// An element of `xs:all`, which may stand anywhere among the others, but once.
    ///
    /// # Errors
    /// If it is wrong, or stands there twice.
    fn once<T: Value>(&mut self, slot: &mut Option<T>, field: &'static Field) -> Read<()> {
        if slot.is_some() {
            return Err(self.too_many(field.local, 1));
        }
        *slot = Some(self.required(field)?);
        Ok(())
    }

    /// An element of `xs:all` that must have been there.
    ///
    /// # Errors
    /// If it was not.
    fn found<T>(&mut self, slot: Option<T>, field: &'static Field) -> Read<T> {
        slot.ok_or_else(|| self.missing(field))
    }

    /// A group that may be there.
    ///
    /// # Errors
    /// If it is wrong.
    fn optional_group<T: Particles>(&mut self) -> Read<Option<T>> {
        if self.branch(T::STARTS)?.is_some() { T::read_particles(self).map(Some) } else { Ok(None) }
    }

    /// A group that may repeat.
    ///
    /// # Errors
    /// If one is wrong, or there are too few or too many.
    fn repeated_group<T: Particles>(&mut self, group: &'static Group) -> Read<Vec<T>> {
        let mut values = Vec::new();
        while self.enter_round(group, T::STARTS, ordinal(values.len()))? {
            if values.len() >= group.occurs.max as usize {
                return Err(self.too_many(group.json, group.occurs.max));
            }
            values.push(T::read_particles(self)?);
            self.leave_round()?;
        }
        if values.len() < group.occurs.min as usize { Err(self.no_branch(T::STARTS)) } else { Ok(values) }
    }

    /// One element of a wildcard that must be there.
    ///
    /// # Errors
    /// If there is none.
    fn required_any(&mut self, field: &'static Field) -> Read<XmlFragment> {
        self.any(field, 0)?.ok_or_else(|| self.missing(field))
    }

    /// Elements of a wildcard, kept as XML.
    ///
    /// # Errors
    /// If they are not well-formed, too few or too many.
    fn repeated_any(&mut self, field: &'static Field) -> Read<Vec<XmlFragment>> {
        let mut fragments = Vec::new();
        while let Some(fragment) = self.any(field, ordinal(fragments.len()))? {
            if fragments.len() >= field.occurs.max as usize {
                return Err(self.too_many(field.local, field.occurs.max));
            }
            fragments.push(fragment);
        }
        if fragments.len() < field.occurs.min as usize { Err(self.missing(field)) } else { Ok(fragments) }
    }

    /// The error for one more than there may be.
    fn too_many(&self, name: &str, max: u32) -> Box<ReadError> {
        self.error(ReadErrorKind::Unexpected, format!("more than {max} of \"{name}\"")).of(name, None)
    }

    /// The error for a type that the contract does not let stand here.
    fn abstract_type(&self, name: &str) -> Box<ReadError> {
        let message = format!("the type {name} is abstract: say by xsi:type (JSON: @type) which type it is");
        self.error(ReadErrorKind::Missing, message)
    }
}

fn ordinal(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX - 1) + 1
}

/// Whether a wildcard lets an element or attribute of that namespace stand.
pub(crate) fn allowed(field: &Field, namespace: &str) -> bool {
    field.wildcard == Wildcard::Any || field.wildcard.allows(namespace)
}

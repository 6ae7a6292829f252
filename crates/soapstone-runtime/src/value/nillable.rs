//! `nillable="true"`: nil is neither absent nor empty.

use crate::problem::ReadError;
use crate::schema::{Field, Sink, Source, Value};

/// A value, or the express statement that there is none (`xsi:nil="true"`, JSON `null`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Nillable<T> {
    #[default]
    Nil,
    Value(T),
}

impl<T> Nillable<T> {
    /// The value, if there is one.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::Nil => None,
            Self::Value(value) => Some(value),
        }
    }

    /// A reference to the value, if there is one.
    pub fn as_option(&self) -> Option<&T> {
        match self {
            Self::Nil => None,
            Self::Value(value) => Some(value),
        }
    }
}

impl<T> From<Option<T>> for Nillable<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nil, Self::Value)
    }
}

impl<T: Value> Value for Nillable<T> {
    fn read<S: Source>(source: &mut S, field: &'static Field) -> Result<Self, Box<ReadError>> {
        if source.nil()? { Ok(Self::Nil) } else { T::read(source, field).map(Self::Value) }
    }

    fn write<K: Sink>(&self, sink: &mut K) {
        match self {
            Self::Nil => sink.nil(),
            Self::Value(value) => value.write(sink),
        }
    }
}

impl<T: Value> Value for Box<T> {
    fn read<S: Source>(source: &mut S, field: &'static Field) -> Result<Self, Box<ReadError>> {
        T::read(source, field).map(Self::new)
    }

    fn write<K: Sink>(&self, sink: &mut K) {
        (**self).write(sink);
    }
}

//! The interface that generated code writes through.

use super::{Field, Group, Particles, TypeName, Value};
use crate::value::{AnyAttribute, AnyValue, Simple, XmlFragment};

/// What a value is written to.
pub trait Sink: Sized {
    /// Says by `xsi:type` which type the element opened has.
    fn typed(&mut self, type_name: &'static TypeName);

    fn nil(&mut self);

    /// Starts a value with attributes and children.
    fn begin(&mut self);

    /// Ends it.
    fn end(&mut self);

    fn attribute<T: Simple>(&mut self, field: &'static Field, value: Option<&T>);

    fn any_attributes(&mut self, field: &'static Field, attributes: &[AnyAttribute]);

    /// The text of an element that may have attributes as well.
    fn text<T: Simple>(&mut self, value: &T);

    /// The value of an element that is nothing but a value.
    fn content<T: Simple>(&mut self, value: &T);

    /// The element opened as it stands.
    fn any_value(&mut self, value: &AnyValue);

    /// Opens an element; `index` as in [`Source::enter`](super::Source::enter).
    fn open(&mut self, field: &'static Field);

    fn close(&mut self, field: &'static Field);

    /// Before and after elements that repeat.
    fn open_list(&mut self, json: &'static str);

    fn close_list(&mut self);

    /// Before and after each element of a list.
    fn open_item(&mut self, field: &'static Field);

    fn close_item(&mut self, field: &'static Field);

    /// Before and after each round of a group that repeats.
    fn open_round(&mut self);

    fn close_round(&mut self);

    /// An element of a wildcard that does not repeat.
    fn any(&mut self, field: &'static Field, fragment: &XmlFragment);

    /// One of those that do, within a list.
    fn any_item(&mut self, fragment: &XmlFragment);

    /// A piece of text in mixed content.
    fn mixed_text(&mut self, text: &str);

    /// The array type of SOAP encoding, with the number of items.
    fn array_type(&mut self, item: &'static TypeName, count: usize);

    fn element<T: Value>(&mut self, field: &'static Field, value: &T) {
        self.open(field);
        value.write(self);
        self.close(field);
    }

    fn optional<T: Value>(&mut self, field: &'static Field, value: Option<&T>) {
        if let Some(value) = value {
            self.element(field, value);
        }
    }

    fn repeated<T: Value>(&mut self, field: &'static Field, values: &[T]) {
        self.open_list(field.json);
        for value in values {
            self.open_item(field);
            value.write(self);
            self.close_item(field);
        }
        self.close_list();
    }

    fn optional_group<T: Particles>(&mut self, value: Option<&T>) {
        if let Some(value) = value {
            value.write_particles(self);
        }
    }

    fn repeated_group<T: Particles>(&mut self, group: &'static Group, values: &[T]) {
        self.open_list(group.json);
        for value in values {
            self.open_round();
            value.write_particles(self);
            self.close_round();
        }
        self.close_list();
    }

    fn repeated_any(&mut self, field: &'static Field, fragments: &[XmlFragment]) {
        self.open_list(field.json);
        for fragment in fragments {
            self.any_item(fragment);
        }
        self.close_list();
    }
}

//! `xs:list`: values of one type, separated by white space.

use super::simple::{Declare, JsonKind, Prefixes, Simple, Wrong, checked, treated};
use crate::problem::ReadError;
use crate::schema::{Facets, Field, Sink, Source, Value, WhiteSpace};
use std::borrow::Cow;

impl<T: Simple> Simple for Vec<T> {
    const JSON: JsonKind = JsonKind::List(&T::JSON);

    fn parse(text: &str) -> Result<Self, Cow<'static, str>> {
        text.split_ascii_whitespace().map(T::parse).collect()
    }

    fn append(&self, out: &mut String) {
        for (index, value) in self.iter().enumerate() {
            if index > 0 {
                out.push(' ');
            }
            value.append(out);
        }
    }

    fn length(&self, _lexical: &str) -> Option<usize> {
        Some(self.len())
    }

    fn read_text(text: Cow<'_, str>, facets: &'static Facets, prefixes: &dyn Prefixes) -> Result<Self, Wrong> {
        let text = treated(text, WhiteSpace::Collapse);
        let item = facets.item.unwrap_or(&Facets::NONE);
        let values: Self = text
            .split(' ')
            .filter(|part| !part.is_empty())
            .map(|part| T::read_text(Cow::Borrowed(part), item, prefixes))
            .collect::<Result<_, _>>()?;
        checked(values, &text, facets)
    }

    fn write_text(&self, out: &mut String, prefixes: &mut dyn Declare) {
        for (index, value) in self.iter().enumerate() {
            if index > 0 {
                out.push(' ');
            }
            value.write_text(out, prefixes);
        }
    }
}

impl<T: Simple> Value for Vec<T> {
    fn read<S: Source>(source: &mut S, field: &'static Field) -> Result<Self, Box<ReadError>> {
        source.content(field)
    }

    fn write<K: Sink>(&self, sink: &mut K) {
        sink.content(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::NoPrefixes;

    #[test]
    fn items_and_the_list_have_facets_of_their_own() {
        static SMALL: Facets = Facets { max_inclusive: Some("9"), ..Facets::NONE };
        static FEW: Facets = Facets { max_length: Some(2), item: Some(&SMALL), ..Facets::NONE };
        let read = |text: &str| Vec::<i32>::read_text(text.into(), &FEW, &NoPrefixes);
        assert_eq!(read(" 1\n 2 ").unwrap(), [1, 2]);
        assert!(read("").unwrap().is_empty());
        assert!(read("1 2 3").unwrap_err().why.contains("maxLength 2"));
        assert!(read("10").unwrap_err().why.contains("maxInclusive 9"));
        assert_eq!(vec![1, 2].lexical(), "1 2");
    }
}

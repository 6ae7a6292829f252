//! Columns of a native table: their names are paths into a record, by the contract's own names.
//!
//! `sku`, `listPrice/currency`, `name[de]` (of several, the one of that language), `category` (several, with bars between them) and
//! `attribute` (several pairs, as in `colour=red|size=M`).

use crate::exchange::kinds::Kind;
use serde_json::{Map, Value, json};

/// How deep records nest at most.
const MAX_DEPTH: u32 = 8;

/// Between several values of one cell.
pub(super) const BETWEEN: char = '|';

/// The members that tell items of one list apart, the first that an item has.
const SELECTORS: &[&str] = &[
    "language",
    "code",
    "warehouse",
    "role",
    "kind",
    "axis",
    "purpose",
    "key",
    "unit",
    "minimumQuantity",
    "number",
    "currency",
];

/// Of these, those by which items are sorted, not told apart: there may be several of one.
const CLASSES: &[&str] = &["role", "kind"];

/// The member that stands for its object: the text of an element with attributes.
const VALUE: &str = "value";

/// Members that nobody gives.
const OF_SERVER: &[&str] = &["version", "changedAt"];

/// What a member of a record is, as far as a table has to know.
#[derive(Clone, Debug)]
pub enum Shape {
    Text,
    Number,
    Boolean,
    Date,
    Time,
    Object(Vec<(String, Shape)>),
    List(Box<Shape>),
}

/// What a cell is turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    Text,
    Number,
    Boolean,
    Date,
    Time,
}

impl Shape {
    /// What a record of a kind is.
    pub fn of(kind: &Kind) -> Self {
        let (document, schema) = kind.schema();
        Self::read(&document, &schema, 0)
    }

    fn read(document: &Value, schema: &Value, depth: u32) -> Self {
        if depth > MAX_DEPTH {
            return Self::Text;
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let target = document.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null);
            return Self::read(document, target, depth + 1);
        }
        if let Some(either) = schema["oneOf"].as_array() {
            let given = either.iter().find(|one| one["type"] != "null").unwrap_or(&Value::Null);
            return Self::read(document, given, depth + 1);
        }
        let is = |name: &str| match &schema["type"] {
            Value::Array(types) => types.iter().any(|one| one == name),
            one => one == name,
        };
        match schema["format"].as_str() {
            Some("date") => return Self::Date,
            Some("date-time") => return Self::Time,
            _ => {}
        }
        if is("object") {
            let members = schema["properties"].as_object().into_iter().flatten();
            let members = members.filter(|(name, _)| !OF_SERVER.contains(&name.as_str()));
            let members = members.map(|(name, member)| (name.clone(), Self::read(document, member, depth + 1)));
            return Self::Object(members.collect());
        }
        if is("array") {
            return Self::List(Box::new(Self::read(document, &schema["items"], depth + 1)));
        }
        match (is("boolean"), is("number") || is("integer")) {
            (true, _) => Self::Boolean,
            (_, true) => Self::Number,
            _ => Self::Text,
        }
    }

    fn plain(&self) -> Option<Plain> {
        Some(match self {
            Self::Text => Plain::Text,
            Self::Number => Plain::Number,
            Self::Boolean => Plain::Boolean,
            Self::Date => Plain::Date,
            Self::Time => Plain::Time,
            Self::Object(_) | Self::List(_) => return None,
        })
    }

    /// A member of that name, whatever its case.
    fn member(&self, name: &str) -> Option<(&str, &Self)> {
        let Self::Object(members) = self else { return None };
        let found = members.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(name, shape)| (name.as_str(), shape))
    }

    /// Whether a column can be called so.
    pub fn has(&self, name: &str) -> bool {
        self.member(name).is_some()
    }

    /// Whether that member is a price: an amount with its currency.
    pub fn is_price(&self, name: &str) -> bool {
        self.member(name).is_some_and(|(_, member)| match member {
            Self::List(items) => items.has(VALUE) && items.has("currency"),
            member => member.has(VALUE) && member.has("currency"),
        })
    }

    /// The names that columns begin with.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Object(members) => members.iter().map(|(name, _)| name.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    /// What the items of a member are, if it is a list.
    pub fn items(&self, name: &str) -> Option<&Self> {
        match self.member(name) {
            Some((_, Self::List(items))) => Some(items),
            _ => None,
        }
    }

    /// Tells the cells of a value, each with the column that an import reads it from; `column` is that of the value itself.
    pub fn flatten(&self, value: &Value, column: &str, tell: &mut impl FnMut(String, String)) {
        match (self, value) {
            (_, Value::Null) => {}
            (Self::Object(members), Value::Object(values)) => {
                for (name, shape) in members {
                    let Some(value) = values.get(name) else { continue };
                    let inner = match (name.as_str(), column) {
                        (VALUE, outer) if !outer.is_empty() => outer.to_owned(),
                        (name, "") => name.to_owned(),
                        (name, outer) => format!("{outer}/{name}"),
                    };
                    shape.flatten(value, &inner, tell);
                }
            }
            (Self::List(items), Value::Array(values)) => {
                for value in values {
                    items.flatten_item(value, column, tell);
                }
            }
            (_, Value::String(text)) => tell(column.to_owned(), text.clone()),
            (_, plain) => tell(column.to_owned(), plain.to_string()),
        }
    }

    fn flatten_item(&self, item: &Value, column: &str, tell: &mut impl FnMut(String, String)) {
        let selector = self.selector().and_then(|by| Some((by, item[by].as_str()?)));
        match (selector, item[VALUE].as_str()) {
            // Only which there are is told of those that are sorted; their order is that of the cell.
            (Some((by, is)), Some(value)) if CLASSES.contains(&by) => tell(format!("{column}[{is}]"), value.to_owned()),
            (Some((by, is)), _) => {
                let mut rest = item.clone();
                if let Some(members) = rest.as_object_mut() {
                    members.remove(by);
                }
                self.flatten(&rest, &format!("{column}[{is}]"), tell);
            }
            (None, _) => self.flatten(item, column, tell),
        }
    }

    /// The member that tells the items of a list apart.
    fn selector(&self) -> Option<&'static str> {
        SELECTORS.iter().find(|name| self.member(name).is_some()).copied()
    }
}

/// Which item of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    /// It is no list.
    Only,
    /// The one in which that member is so.
    Of(&'static str, String),
    /// The first that nothing was said of.
    Plain(Option<&'static str>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    member: String,
    item: Item,
}

/// What the cell of a column has.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Cell {
    One(Plain),
    /// Several, each the value of an object of one class.
    Class(&'static str, String, Plain),
    /// Several, each of them an item.
    Several(Plain),
    /// Several, each the value of an object.
    SeveralValues(Plain),
    /// Several pairs: what tells the items apart, and the value.
    Pairs(&'static str, Plain),
}

/// Where the cell of a column goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    steps: Vec<Step>,
    cell: Cell,
}

/// The members that a name leads through; what stands in brackets is not cut.
fn segments(name: &str) -> impl Iterator<Item = &str> {
    let mut within = false;
    name.split(move |c: char| {
        within = (within || c == '[') && c != ']';
        c == '/' && !within
    })
}

/// Why a name leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoPath {
    /// There is no such member; these there are.
    Unknown(Vec<String>),
    /// It is an object: one of these has to be named.
    Object(Vec<String>),
}

impl Path {
    /// Where a column of that name goes.
    ///
    /// # Errors
    /// If there is no such member.
    pub fn parse(name: &str, record: &Shape) -> Result<Self, NoPath> {
        let mut steps = Vec::new();
        let mut shape = record;
        let mut segments = segments(name).peekable();
        while let Some(segment) = segments.next() {
            let (name, argument) = match segment.split_once('[') {
                Some((name, rest)) => (name.trim(), Some(rest.trim_end().trim_end_matches(']').trim())),
                None => (segment.trim(), None),
            };
            let unknown = || NoPath::Unknown(shape.names().into_iter().map(str::to_owned).collect());
            let (member, found) = shape.member(name).ok_or_else(unknown)?;
            let member = member.to_owned();
            let is_last = segments.peek().is_none();
            let Shape::List(items) = found else {
                steps.push(Step { member, item: Item::Only });
                shape = found;
                continue;
            };
            let selector = items.selector();
            let value = items.member(VALUE).and_then(|(_, value)| value.plain());
            if let (Some(by), Some(is), Some(plain), true) = (selector, argument, value, is_last)
                && CLASSES.contains(&by)
            {
                steps.push(Step { member, item: Item::Only });
                return Ok(Self { steps, cell: Cell::Class(by, is.to_owned(), plain) });
            }
            if let (Some(by), Some(is)) = (selector, argument) {
                steps.push(Step { member, item: Item::Of(by, is.to_owned()) });
                shape = items;
                continue;
            }
            if !is_last || selector == Some("language") {
                steps.push(Step { member, item: Item::Plain(selector) });
                shape = items;
                continue;
            }
            steps.push(Step { member, item: Item::Only });
            let cell = match (items.plain(), value, selector) {
                (Some(plain), ..) => Cell::Several(plain),
                (None, Some(plain), Some(by @ ("code" | "axis"))) => Cell::Pairs(by, plain),
                (None, Some(plain), _) => Cell::SeveralValues(plain),
                (None, None, _) => return Err(NoPath::Object(items.names().into_iter().map(str::to_owned).collect())),
            };
            return Ok(Self { steps, cell });
        }
        let cell = match (shape.plain(), shape.member(VALUE).and_then(|(_, value)| value.plain())) {
            (Some(plain), _) => plain,
            (None, Some(plain)) => {
                steps.push(Step { member: VALUE.to_owned(), item: Item::Only });
                plain
            }
            (None, None) => return Err(NoPath::Object(shape.names().into_iter().map(str::to_owned).collect())),
        };
        Ok(Self { steps, cell: Cell::One(cell) })
    }

    /// The members that it leads through, without what stands for its object.
    pub fn member(&self) -> String {
        let names: Vec<&str> = self.steps.iter().map(|step| step.member.as_str()).collect();
        let names = if names.len() > 1 { names.strip_suffix(&[VALUE]).unwrap_or(&names) } else { &names };
        names.join("/")
    }

    /// What its cells are, if each is one value.
    pub fn plain(&self) -> Option<Plain> {
        match self.cell {
            Cell::One(plain) => Some(plain),
            _ => None,
        }
    }

    /// Whether its cells are numbers.
    pub fn is_number(&self) -> bool {
        matches!(
            self.cell,
            Cell::One(Plain::Number) | Cell::Several(Plain::Number) | Cell::SeveralValues(Plain::Number)
        )
    }

    /// Whether a cell lists several values.
    pub fn is_list(&self) -> bool {
        !matches!(self.cell, Cell::One(_))
    }

    /// Puts a cell into a record. `read` makes of a text what it is to be.
    ///
    /// # Errors
    /// If pairs are expected, and there is none: the part in question.
    pub fn put(
        &self,
        record: &mut Map<String, Value>,
        cell: &str,
        read: impl Fn(Plain, &str) -> String,
    ) -> Result<(), String> {
        let parts = || cell.split(BETWEEN).map(str::trim).filter(|part| !part.is_empty());
        match &self.cell {
            Cell::One(plain) => self.set(record, json!(read(*plain, cell))),
            Cell::Class(by, is, plain) => {
                parts().for_each(|part| self.push(record, json!({*by: is, VALUE: read(*plain, part)})));
            }
            Cell::Several(plain) => parts().for_each(|part| self.push(record, json!(read(*plain, part)))),
            Cell::SeveralValues(plain) => {
                parts().for_each(|part| self.push(record, json!({VALUE: read(*plain, part)})));
            }
            Cell::Pairs(by, plain) => {
                for part in parts() {
                    let (name, value) = part.split_once('=').ok_or_else(|| part.to_owned())?;
                    self.push(record, json!({*by: name.trim(), VALUE: read(*plain, value.trim())}));
                }
            }
        }
        Ok(())
    }

    fn set(&self, record: &mut Map<String, Value>, value: Value) {
        let mut here = record;
        for (index, step) in self.steps.iter().enumerate() {
            let is_last = index + 1 == self.steps.len();
            if is_last && step.item == Item::Only {
                here.insert(step.member.clone(), value);
                return;
            }
            let next = match &step.item {
                Item::Only => here.entry(step.member.as_str()).or_insert_with(|| json!({})),
                item => item.find(here.entry(step.member.as_str()).or_insert_with(|| json!([]))),
            };
            let Value::Object(next) = next else { return };
            here = next;
        }
    }

    fn push(&self, record: &mut Map<String, Value>, value: Value) {
        let Some(step) = self.steps.last() else { return };
        if let Value::Array(items) = record.entry(step.member.as_str()).or_insert_with(|| json!([])) {
            items.push(value);
        }
    }
}

impl Item {
    /// The item of a list; one that is new, if it is not there.
    fn find<'a>(&self, list: &'a mut Value) -> &'a mut Value {
        if !list.is_array() {
            *list = json!([]);
        }
        let Value::Array(items) = list else { return list };
        let (place, new) = match self {
            Self::Of(by, is) => (items.iter().position(|item| item[by] == is.as_str()), json!({*by: is})),
            Self::Plain(by) => (items.iter().position(|item| by.is_none_or(|by| item[by].is_null())), json!({})),
            Self::Only => (items.len().checked_sub(1), json!({})),
        };
        let place = place.unwrap_or_else(|| {
            items.push(new);
            items.len() - 1
        });
        &mut items[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(kind: &str, cells: &[(&str, &str)]) -> Value {
        let shape = Shape::of(Kind::find(kind).unwrap());
        let mut record = Map::new();
        for (name, cell) in cells {
            let path = Path::parse(name, &shape).unwrap_or_else(|e| panic!("{name}: {e:?}"));
            path.put(&mut record, cell, |_, text| text.to_owned()).unwrap();
        }
        Value::Object(record)
    }

    #[test]
    fn names_lead_into_records() {
        let cells = [
            ("SKU", "A"),
            ("name[de]", "Lampe"),
            ("name", "Lamp"),
            ("listPrice", "9.50"),
            ("listPrice/currency", "CHF"),
            ("category", "a | b"),
            ("stock[main]", "3"),
            ("attribute", "colour=red|size=M"),
            ("attribute[weight]", "2"),
            ("tierPrice[10]", "8"),
            ("relation[crossSell]", "B|C"),
        ];
        let expected = json!({
            "sku": "A",
            "name": [{"language": "de", "value": "Lampe"}, {"value": "Lamp"}],
            "listPrice": {"value": "9.50", "currency": "CHF"},
            "category": ["a", "b"],
            "stock": [{"warehouse": "main", "value": "3"}],
            "attribute": [{"code": "colour", "value": "red"}, {"code": "size", "value": "M"}, {"code": "weight", "value": "2"}],
            "tierPrice": [{"minimumQuantity": "10", "value": "8"}],
            "relation": [{"kind": "crossSell", "value": "B"}, {"kind": "crossSell", "value": "C"}]
        });
        assert_eq!(put("articles", &cells), expected);
        let mut columns = Vec::new();
        let shape = Shape::of(Kind::find("articles").unwrap());
        shape.flatten(&expected, "", &mut |column, cell| columns.push(format!("{column}={cell}")));
        let expected = [
            "sku=A",
            "name[de]=Lampe",
            "name=Lamp",
            "category=a",
            "category=b",
            "listPrice/currency=CHF",
            "listPrice=9.50",
            "tierPrice[10]=8",
            "stock[main]=3",
            "attribute[colour]=red",
            "attribute[size]=M",
            "attribute[weight]=2",
            "relation[crossSell]=B",
            "relation[crossSell]=C",
        ];
        assert_eq!(columns, expected);
        let cells = [
            ("number", "1"),
            ("billingAddress/city", "Bern"),
            ("deliveryAddress[2]/city", "Thun"),
            ("deliveryAddress/street", "Weg 1"),
            ("deliveryAddress[4712/1]/city", "Zug"),
        ];
        let expected = json!({
            "number": "1",
            "billingAddress": {"city": "Bern"},
            "deliveryAddress": [{"key": "2", "city": "Thun"}, {"street": "Weg 1"}, {"key": "4712/1", "city": "Zug"}]
        });
        assert_eq!(put("customers", &cells), expected);
    }

    #[test]
    fn names_that_lead_nowhere_are_told() {
        let shape = Shape::of(Kind::find("customers").unwrap());
        assert!(
            matches!(Path::parse("colour", &shape), Err(NoPath::Unknown(known)) if known.contains(&"number".to_owned()))
        );
        assert!(
            matches!(Path::parse("billingAddress", &shape), Err(NoPath::Object(parts)) if parts.contains(&"city".to_owned()))
        );
        assert!(matches!(Path::parse("billingAddress/colour", &shape), Err(NoPath::Unknown(_))));
    }
}

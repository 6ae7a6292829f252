//! OpenAPI 3.1: paths from the HTTP bindings, schemas from the same items as the Rust types.

use crate::program::{Base, Field, FieldType, ItemKind, Kind, Program, Simple};
use crate::sample;
use crate::service::{Operation, Route, Service};
use serde_json::{Map, Value, json};
use soapstone_contract::model::{Attachment, HttpInput};
use std::collections::BTreeSet;

/// `paths` and `components` of one service.
pub fn document(program: &Program, service: &Service) -> Value {
    let mut writer = Writer { program, used: BTreeSet::new() };
    let mut paths = Map::new();
    for operation in &service.operations {
        for route in &operation.routes {
            let path = route.location.replace('(', "{").replace(')', "}");
            let entry = paths.entry(path).or_insert_with(|| json!({}));
            entry[route.verb.to_lowercase()] = writer.operation(service, operation, route);
        }
    }
    let mut schemas = Map::new();
    let mut done = BTreeSet::new();
    while let Some(item) = writer.used.iter().copied().find(|item| !done.contains(item)) {
        done.insert(item);
        let schema = writer.item(item);
        schemas.insert(program.schema_name(item), schema);
    }
    schemas.insert("Problem".to_owned(), problem_schema());
    json!({"paths": paths, "components": {"schemas": schemas}})
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "Problem details (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "What is wrong, for a person."},
            "code": {"type": "string", "description": "Stable and documented."},
            "instance": {"type": "string", "description": "Names this request in the server's log."},
            "fault": {"type": "object", "description": "The fault that the contract declares."},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "code": {"type": "string"},
                        "detail": {"type": "string"},
                        "pointer": {"type": "string", "description": "Where in the request (RFC 6901)."}
                    }
                }
            }
        }
    })
}

struct Writer<'a> {
    program: &'a Program,
    /// Items that schemas refer to.
    used: BTreeSet<usize>,
}

impl Program {
    /// The name of an item's schema: told apart by module where two have the same.
    fn schema_name(&self, item: usize) -> String {
        let name = &self.items[item].name;
        let same = self.items.iter().enumerate().any(|(i, other)| i != item && other.name == *name);
        if same { format!("{}.{name}", self.modules[self.items[item].module].name) } else { name.clone() }
    }
}

impl Writer<'_> {
    fn operation(&mut self, service: &Service, operation: &Operation, route: &Route) -> Value {
        let in_path = |field: &Field| route.location.contains(&format!("({})", field.json));
        let message = operation.input;
        let outer = route.within.as_ref();
        let outer = outer.and_then(|name| self.program.fields(message).iter().find(|field| field.json == *name));
        // What body and path are the members of.
        let subject = outer.and_then(Field::item).unwrap_or(message);
        let fields = self.program.fields(subject);
        let mut parameters = Vec::new();
        for field in fields.iter().filter(|f| in_path(f) || route.input == HttpInput::Query) {
            let place = if in_path(field) { "path" } else { "query" };
            let mut schema = if in_path(field) { self.one(field) } else { self.field(field) };
            schema.as_object_mut().map(|s| s.shift_remove("description"));
            parameters.push(json!({
                "name": field.json,
                "in": place,
                "required": place == "path" || field.occurs.min > 0,
                "description": field.doc.clone().unwrap_or_default(),
                "schema": schema,
            }));
        }
        for item in &operation.beside_input.headers {
            parameters.push(self.header(*item, true));
        }
        if self.program.is_conditional(operation) {
            parameters.push(json!({
                "name": "If-Match",
                "in": "header",
                "description": "The ETag of the record as it was read: it is changed only if it is still so.",
                "schema": {"type": "string", "examples": ["\"3\""]},
            }));
        }
        let mut description = operation.doc.clone();
        if description.is_empty() {
            description.clone_from(&operation.name);
        }
        // One operation may be bound twice; its id may not.
        let first = operation.routes.first().is_some_and(|r| r.verb == route.verb && r.location == route.location);
        let id = if first { operation.name.clone() } else { format!("{}Via{}", operation.name, route_name(route)) };
        let mut value = json!({
            "operationId": id,
            "tags": [service.name],
            "summary": description.split(['.', ':']).next().unwrap_or_default(),
            "description": description,
            "parameters": parameters,
        });
        if route.input == HttpInput::Body {
            let mut example = sample::json(self.program, message);
            if let Some(inner) = outer.and_then(|field| example.get_mut(&field.json)) {
                example = inner.take();
            }
            let in_path: Vec<&Field> = fields.iter().filter(|f| in_path(f)).collect();
            let schema = if in_path.is_empty() {
                self.reference(subject)
            } else {
                let kept: Vec<Field> =
                    fields.iter().filter(|f| !in_path.iter().any(|p| p.json == f.json)).cloned().collect();
                if let Some(example) = example.as_object_mut() {
                    for field in &in_path {
                        example.shift_remove(&field.json);
                    }
                }
                self.object(&kept)
            };
            let required = schema.get("$ref").is_some() && fields.iter().any(|f| f.occurs.min > 0);
            let schema = with_attachments(schema, &operation.beside_input.attachments, &mut example);
            value["requestBody"] = json!({
                "required": required,
                "content": {"application/json": {"schema": schema, "example": example}},
            });
        }
        let problem = json!({
            "description": "A problem, with a stable code.",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        });
        value["responses"] = match operation.output {
            Some(output) => {
                let mut example = sample::json(self.program, output);
                let schema = self.reference(output);
                let schema = with_attachments(schema, &operation.beside_output.attachments, &mut example);
                let mut answer = json!({
                    "description": "The answer.",
                    "content": {"application/json": {"schema": schema, "example": example}},
                });
                for item in &operation.beside_output.headers {
                    let header = self.header(*item, false);
                    let name = header["name"].as_str().unwrap_or_default().to_owned();
                    answer["headers"][name] = json!({"content": header["content"]});
                }
                let mut responses = json!({"200": answer});
                if self.program.is_versioned(operation) {
                    let tag = json!({"description": "The record's version.", "schema": {"type": "string"}});
                    responses["200"]["headers"]["ETag"] = tag;
                    let (code, description) = match route.verb.as_str() {
                        "GET" => ("304", "It is as If-None-Match says."),
                        _ => ("204", "It is done; Prefer: return=minimal wants no more."),
                    };
                    responses[code] = json!({"description": description});
                }
                responses["4XX"] = problem.clone();
                responses["5XX"] = problem;
                responses
            }
            None => json!({
                "202": {"description": "Accepted: the operation is one-way."},
                "4XX": problem,
                "5XX": problem,
            }),
        };
        value
    }

    /// A header block of SOAP as an HTTP header with JSON in it.
    fn header(&mut self, item: usize, with_example: bool) -> Value {
        let local = self.program.element_of(item).map(|e| e.local.clone()).unwrap_or_default();
        let schema = self.reference(item);
        let mut header = json!({
            "name": format!("Soap-Header-{local}"),
            "in": "header",
            "description": format!("The SOAP header {local}, as JSON."),
            "content": {"application/json": {"schema": schema}},
        });
        if with_example {
            header["content"]["application/json"]["example"] = sample::json(self.program, item);
        }
        header
    }

    fn reference(&mut self, item: usize) -> Value {
        self.used.insert(item);
        json!({"$ref": format!("#/components/schemas/{}", self.program.schema_name(item))})
    }

    fn item(&mut self, item: usize) -> Value {
        let program = self.program;
        let doc = program.items[item].doc.clone();
        let mut schema = match &program.items[item].kind {
            ItemKind::Struct(inner) => self.object(&inner.fields),
            ItemKind::Group(fields) => self.object(fields),
            ItemKind::Choice(branches) => self.alternatives(branches),
            ItemKind::Enum(variants) => {
                json!({"type": "string", "enum": variants.iter().map(|v| v.value.as_str()).collect::<Vec<_>>()})
            }
            ItemKind::Union(members) => {
                let members: Vec<Value> = members.iter().map(|(_, member)| self.simple(member)).collect();
                json!({"anyOf": members})
            }
            ItemKind::Poly(poly) => {
                let mut variants = Vec::new();
                for variant in &poly.variants {
                    let mut schema = self.object(program.fields(variant.item));
                    schema["properties"]["@type"] = json!({"const": variant.type_name.local});
                    if poly.is_abstract || variant.item != poly.variants[0].item {
                        let required = schema["required"].as_array().cloned().unwrap_or_default();
                        schema["required"] = required.into_iter().chain([json!("@type")]).collect();
                    }
                    variants.push(schema);
                }
                variants
                    .push(json!({"type": "string", "description": "XML of a type that the contract does not know."}));
                json!({"anyOf": variants})
            }
            ItemKind::Wrapper(_, field) => self.field(field),
            ItemKind::Alias(simple) => self.simple(simple),
            ItemKind::Pending => json!({}),
        };
        if let (Some(doc), Some(schema)) = (doc, schema.as_object_mut()) {
            schema.insert("description".to_owned(), json!(one_line(&doc)));
        }
        schema
    }

    /// Objects of which each has what one branch has.
    fn alternatives(&mut self, branches: &[Field]) -> Value {
        let mut alternatives = Vec::new();
        for branch in branches {
            if branch.kind == Kind::Text {
                alternatives.push(json!({"type": "string", "description": "A piece of text."}));
                alternatives.push(self.object(&[Field { json: "#text".to_owned(), ..branch.clone() }]));
            } else {
                alternatives.push(self.object(std::slice::from_ref(branch)));
            }
        }
        json!({"anyOf": alternatives})
    }

    fn object(&mut self, fields: &[Field]) -> Value {
        let mut members = Members::default();
        self.members(fields, true, 0, &mut members);
        let mut schema = json!({"type": "object", "properties": members.properties, "additionalProperties": false});
        if !members.required.is_empty() {
            schema["required"] = json!(members.required);
        }
        if !members.choices.is_empty() {
            schema["allOf"] = json!(members.choices);
        }
        schema
    }

    /// Gathers members; those of groups that do not repeat stand among their neighbours.
    fn members(&mut self, fields: &[Field], required: bool, depth: u32, out: &mut Members) {
        for field in fields {
            let needed = required && field.occurs.min > 0;
            match (field.kind, field.item()) {
                (Kind::Group, Some(inner)) if !field.repeats() && depth < 20 => {
                    let program = self.program;
                    let is_choice = matches!(program.items[inner].kind, ItemKind::Choice(_));
                    self.members(program.fields(inner), needed && !is_choice, depth + 1, out);
                    if is_choice && needed && !program.is_emptiable(inner) {
                        let one = program.starts(inner).into_iter().map(|begin| {
                            let (owner, number) = begin.field;
                            json!({"required": [program.fields(owner)[number].json]})
                        });
                        let one: Vec<Value> = one.collect();
                        out.choices.push(json!({"anyOf": one}));
                    }
                }
                (Kind::Group, Some(inner)) => {
                    let items = self.reference(inner);
                    let mut array = json!({"type": "array", "items": items});
                    self.bounds(field, &mut array);
                    self.insert(field, array, needed, out);
                }
                _ => {
                    let schema = self.field(field);
                    self.insert(field, schema, needed, out);
                }
            }
        }
    }

    fn insert(&self, field: &Field, schema: Value, needed: bool, out: &mut Members) {
        if needed && !out.required.contains(&field.json) {
            out.required.push(field.json.clone());
        }
        out.properties.insert(field.json.clone(), schema);
    }

    fn bounds(&self, field: &Field, array: &mut Value) {
        if field.occurs.min > 0 {
            array["minItems"] = json!(field.occurs.min);
        }
        if let Some(max) = field.occurs.max.filter(|_| field.repeats()) {
            array["maxItems"] = json!(max);
        }
    }

    fn field(&mut self, field: &Field) -> Value {
        let one = self.one(field);
        let mut schema = if field.repeats() && field.kind != Kind::AnyAttribute {
            let mut array = json!({"type": "array", "items": one});
            self.bounds(field, &mut array);
            array
        } else {
            one
        };
        if let Some(schema) = schema.as_object_mut() {
            if let Some(doc) = &field.doc {
                schema.insert("description".to_owned(), json!(one_line(doc)));
            }
            if let Some(value) = &field.default {
                schema.insert("default".to_owned(), json!(value));
            }
        }
        schema
    }

    fn one(&mut self, field: &Field) -> Value {
        let mut schema = match &field.type_ {
            FieldType::Item(item) => self.reference(*item),
            FieldType::Simple(simple) => self.simple(simple),
            FieldType::Fragment => json!({"type": "string", "description": "An element, as XML."}),
            FieldType::AnyValue => {
                json!({"type": ["string", "number", "boolean", "null"], "description": "A text, or an element as XML."})
            }
            FieldType::AnyAttributes => json!({"type": "object", "additionalProperties": {"type": "string"}}),
        };
        if field.nillable {
            schema = json!({"oneOf": [schema, {"type": "null"}]});
        }
        schema
    }

    fn simple(&mut self, simple: &Simple) -> Value {
        match &simple.base {
            Base::Item(item) => self.reference(*item),
            Base::List(item) => {
                let mut array = json!({"type": "array", "items": self.simple(item)});
                let facets = &simple.facets;
                for (name, count) in [
                    ("minItems", facets.length.or(facets.min_length)),
                    ("maxItems", facets.length.or(facets.max_length)),
                ] {
                    if let Some(count) = count {
                        array[name] = json!(count);
                    }
                }
                array
            }
            Base::Rust(rust) => simple_schema(simple, rust),
        }
    }
}

/// The members of an object, as they are gathered.
#[derive(Default)]
struct Members {
    properties: Map<String, Value>,
    required: Vec<String>,
    choices: Vec<Value>,
}

/// A body with attachments among its members.
fn with_attachments(schema: Value, attachments: &[Attachment], example: &mut Value) -> Value {
    if attachments.is_empty() {
        return schema;
    }
    let mut members = Map::new();
    for attachment in attachments {
        let part = json!({
            "type": "object",
            "properties": {
                "mediaType": {"type": "string"},
                "content": {"type": "string", "contentEncoding": "base64"},
            },
            "required": ["content"],
        });
        members.insert(attachment.part.clone(), part);
        let media = attachment.media_types.first().map_or("application/octet-stream", String::as_str);
        if example.is_object() {
            example["@attachments"][&attachment.part] = json!({"mediaType": media, "content": "QW4gYXR0YWNobWVudC4K"});
        }
    }
    let names: Vec<_> = members.keys().cloned().collect();
    let own = json!({
        "type": "object",
        "properties": {"@attachments": {"type": "object", "properties": members, "required": names}},
        "required": ["@attachments"],
    });
    json!({"allOf": [schema, own]})
}

fn route_name(route: &Route) -> String {
    let words: Vec<String> = route.location.split(['/', '(', ')']).map(crate::type_name).collect();
    let verb = crate::type_name(&route.verb.to_lowercase());
    format!("{verb}{}", words.into_iter().filter(|w| w != "N").collect::<String>())
}

fn simple_schema(simple: &Simple, rust: &str) -> Value {
    let facets = &simple.facets;
    let mut schema = match rust {
        "bool" => json!({"type": "boolean"}),
        "f32" | "f64" => json!({"type": "number"}),
        "i8" | "i16" | "i32" => json!({"type": "integer", "format": "int32"}),
        "u8" | "u16" | "u32" => json!({"type": "integer", "minimum": 0}),
        "i64" | "u64" => json!({"type": ["integer", "string"], "format": "int64", "pattern": "^-?[0-9]+$"}),
        "rt::Integer" => json!({"type": ["string", "integer"], "pattern": "^-?[0-9]+$"}),
        "rt::Decimal" => {
            json!({"type": ["string", "number"], "format": "decimal", "pattern": "^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)$"})
        }
        "rt::DateTime" => json!({"type": "string", "format": "date-time"}),
        "rt::Date" => json!({"type": "string", "format": "date"}),
        "rt::Base64Binary" => json!({"type": "string", "contentEncoding": "base64"}),
        _ => json!({"type": "string"}),
    };
    let numeric = matches!(
        rust,
        "i8" | "i16" | "i32" | "u8" | "u16" | "u32" | "i64" | "u64" | "f32" | "f64" | "rt::Integer" | "rt::Decimal"
    );
    if numeric {
        let bounds = [
            ("minimum", &facets.min_inclusive),
            ("maximum", &facets.max_inclusive),
            ("exclusiveMinimum", &facets.min_exclusive),
            ("exclusiveMaximum", &facets.max_exclusive),
        ];
        for (name, bound) in bounds {
            if let Some(number) = bound.as_ref().and_then(|b| serde_json::from_str::<Value>(b).ok()) {
                schema[name] = number;
            }
        }
    } else if schema["type"] == "string" {
        for (name, length) in
            [("minLength", facets.length.or(facets.min_length)), ("maxLength", facets.length.or(facets.max_length))]
        {
            if let Some(length) = length.filter(|_| rust == "String") {
                schema[name] = json!(length);
            }
        }
        if let [step] = simple.patterns.as_slice()
            && let [pattern] = step.as_slice()
            && !pattern.contains("\\i")
            && !pattern.contains("\\c")
            && !pattern.contains("-[")
        {
            schema["pattern"] = json!(format!("^(?:{pattern})$"));
        }
    }
    if !facets.enumeration.is_empty() {
        schema["enum"] = json!(facets.enumeration.iter().map(|(value, _)| value).collect::<Vec<_>>());
    }
    schema
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

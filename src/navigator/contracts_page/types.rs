//! The types that an operation's messages are made of, as tables.

use serde_json::Value;

/// Types that are shown of one operation.
const MOST: usize = 40;

/// A type, with what it holds.
pub(super) struct Type {
    pub name: String,
    pub text: String,
    pub members: Vec<Member>,
    /// Of one that has none: what it may say.
    pub values: Vec<(String, String)>,
}

pub(super) struct Member {
    pub name: String,
    pub kind: String,
    /// The type that it is of, if that is shown too.
    pub leads_to: Option<String>,
    pub is_required: bool,
    pub text: String,
}

fn referenced(schema: &Value) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().map(str::to_owned);
    }
    let parts = ["oneOf", "anyOf", "allOf"].into_iter().filter_map(|name| schema[name].as_array()).flatten();
    parts.chain([&schema["items"]].into_iter().filter(|items| !items.is_null())).find_map(referenced)
}

/// What a schema is, in a word or two.
fn kind_of(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(either) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
        let kinds: Vec<String> = either.iter().filter(|one| one["type"] != "null").map(kind_of).collect();
        return kinds.join(" | ");
    }
    match &schema["type"] {
        Value::String(kind) if kind == "array" => format!("{}[]", kind_of(&schema["items"])),
        Value::String(kind) => schema["format"].as_str().unwrap_or(kind).to_owned(),
        Value::Array(kinds) => {
            let format = schema["format"].as_str();
            let named = kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null");
            format.or(named).unwrap_or_default().to_owned()
        }
        _ => String::new(),
    }
}

fn member(name: &str, schema: &Value, is_required: bool, text: &Value) -> Member {
    Member {
        name: name.to_owned(),
        kind: kind_of(schema),
        leads_to: referenced(schema),
        is_required,
        text: text.as_str().unwrap_or_default().to_owned(),
    }
}

fn of_schema(name: &str, schema: &Value) -> Type {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let members = schema["properties"].as_object().into_iter().flatten();
    let values = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    Type {
        name: name.to_owned(),
        text: schema["description"].as_str().unwrap_or_default().to_owned(),
        members: members
            .map(|(name, of)| member(name, of, required.contains(&name.as_str()), &of["description"]))
            .collect(),
        values: values.map(|value| (value.to_owned(), String::new())).collect(),
    }
}

/// The types of an operation: its parameters, its request, its answer, and all that these are made of.
pub(super) fn types_of(document: &Value, operation: &Value) -> Vec<Type> {
    let schemas = &document["components"]["schemas"];
    let mut types = Vec::new();
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        let of = |given: &Value| {
            let name = given["name"].as_str().unwrap_or_default();
            member(name, &given["schema"], given["required"] == true, &given["description"])
        };
        let members = parameters.iter().map(of).collect();
        types.push(Type { name: "Parameters".to_owned(), text: String::new(), members, values: Vec::new() });
    }
    let content = |part: &Value| referenced(&part["content"]["application/json"]["schema"]);
    let begin = [content(&operation["requestBody"]), content(&operation["responses"]["200"])];
    let mut open: Vec<String> = begin.into_iter().flatten().collect();
    let mut seen = 0;
    while let Some(name) = open.get(seen).cloned() {
        seen += 1;
        let found = of_schema(&name, &schemas[&name]);
        let more = found.members.iter().filter_map(|member| member.leads_to.clone());
        for name in more.collect::<Vec<_>>() {
            if !open.contains(&name) && open.len() < MOST {
                open.push(name);
            }
        }
        types.push(found);
    }
    for found in &mut types {
        for member in &mut found.members {
            member.leads_to = member.leads_to.take().filter(|name| open.contains(name));
        }
    }
    types
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn types_lead_to_those_that_they_are_made_of() {
        let document = json!({"components": {"schemas": {
            "Put": {"properties": {"item": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}}}, "required": ["item"]},
            "Item": {"description": "One.", "properties": {"size": {"oneOf": [{"$ref": "#/components/schemas/Size"}, {"type": "null"}]},
                "self": {"$ref": "#/components/schemas/Item"}, "at": {"type": "string", "format": "date-time"}}},
            "Size": {"enum": ["s", "m"]}
        }}});
        let operation = json!({"parameters": [{"name": "key", "required": true, "schema": {"type": "string"}}],
            "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Put"}}}}});
        let types = types_of(&document, &operation);
        let names: Vec<&str> = types.iter().map(|found| found.name.as_str()).collect();
        assert_eq!(names, ["Parameters", "Put", "Item", "Size"]);
        assert_eq!((types[1].members[0].kind.as_str(), types[1].members[0].is_required), ("Item[]", true));
        let kinds: Vec<&str> = types[2].members.iter().map(|member| member.kind.as_str()).collect();
        assert_eq!(kinds, ["Size", "Item", "date-time"]);
        assert_eq!(types[3].values.len(), 2);
    }
}

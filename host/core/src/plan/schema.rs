//! Holds the JSON form of a plan against `docs/plan.schema.json`, in both directions: a plan says nothing that the schema does not know,
//! and the schema knows nothing that no plan says.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::samples;

const SCHEMA: &str = include_str!("../../../../docs/plan.schema.json");

/// Keywords that say something to a reader and nothing to a validator.
const PROSE: [&str; 4] = ["$schema", "$defs", "title", "description"];

/// The few keywords of JSON Schema 2020-12 that the plan's schema uses; any other fails the test.
struct Validator {
    root: Value,
    /// The members and alternatives that were met, by their place in the schema.
    met: BTreeSet<String>,
}

impl Validator {
    fn validate(&mut self, schema: &Value, at: &str, value: &Value) -> Result<(), String> {
        let keywords = schema.as_object().ok_or_else(|| format!("{at} is no schema"))?;
        for (keyword, rule) in keywords {
            match keyword.as_str() {
                "$ref" => self.validate_reference(rule, value)?,
                "oneOf" => self.validate_one_of(rule, at, value)?,
                "properties" => self.validate_properties(keywords, at, value)?,
                "items" => {
                    let items = value.as_array().ok_or_else(|| format!("{at}: no list: {value}"))?;
                    items.iter().try_for_each(|item| self.validate(rule, &format!("{at}/items"), item))?;
                }
                "required" | "additionalProperties" => {}
                prose if PROSE.contains(&prose) => {}
                assertion => check(holds(assertion, rule, value), at, keyword, value)?,
            }
        }
        Ok(())
    }

    fn validate_reference(&mut self, rule: &Value, value: &Value) -> Result<(), String> {
        let place = rule.as_str().and_then(|rule| rule.strip_prefix('#')).ok_or("a reference into this document")?;
        let schema = self.root.pointer(place).cloned().ok_or_else(|| format!("`{place}` leads nowhere"))?;
        self.validate(&schema, place, value)
    }

    fn validate_one_of(&mut self, rule: &Value, at: &str, value: &Value) -> Result<(), String> {
        let alternatives = rule.as_array().ok_or("alternatives are a list")?;
        let mut reasons = Vec::new();
        let mut fitting = Vec::new();
        for (index, alternative) in alternatives.iter().enumerate() {
            let place = format!("{at}/oneOf/{index}");
            match self.validate(alternative, &place, value) {
                Ok(()) => fitting.push(place),
                Err(reason) => reasons.push(reason),
            }
        }
        match fitting.as_slice() {
            [one] => {
                self.met.insert(one.clone());
                Ok(())
            }
            _ => Err(format!("{at}: {} alternatives fit {value}: {}", fitting.len(), reasons.join("; "))),
        }
    }

    fn validate_properties(&mut self, keywords: &Map<String, Value>, at: &str, value: &Value) -> Result<(), String> {
        let members = value.as_object().ok_or_else(|| format!("{at}: no object: {value}"))?;
        check(keywords.get("additionalProperties") == Some(&Value::Bool(false)), at, "additionalProperties", value)?;
        for required in keywords.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            check(members.contains_key(required), at, required, value)?;
        }
        // The tag of a variant comes first, so that nothing of another variant counts as met.
        for (name, schema) in
            keywords["properties"].as_object().into_iter().flatten().filter(|(_, schema)| schema.get("const").is_some())
        {
            self.validate(schema, &format!("{at}/properties/{name}"), &members[name])?;
        }
        for (name, member) in members {
            let schema = keywords["properties"].get(name).ok_or_else(|| format!("{at} knows no member `{name}`"))?;
            let place = format!("{at}/properties/{name}");
            self.validate(schema, &place, member)?;
            self.met.insert(place);
        }
        Ok(())
    }
}

fn check(holds: bool, at: &str, keyword: &str, value: &Value) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{at}: `{keyword}` does not hold for {value}")) }
}

fn holds(keyword: &str, rule: &Value, value: &Value) -> bool {
    match keyword {
        "const" => rule == value,
        "enum" => rule.as_array().is_some_and(|allowed| allowed.contains(value)),
        "minimum" => rule.as_u64() <= value.as_u64(),
        "maximum" => rule.as_u64() >= value.as_u64(),
        "type" => match rule.as_str() {
            Some("string") => value.is_string(),
            Some("integer") => value.is_u64(),
            Some("array") => value.is_array(),
            Some("object") => value.is_object(),
            _ => false,
        },
        "pattern" => matches_pattern(rule.as_str().unwrap_or_default(), value.as_str().unwrap_or_default()),
        _ => false,
    }
}

/// The five patterns of the schema; core has no regular expressions.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    match pattern {
        "^/" => text.starts_with('/'),
        "^[^/]+$" => !text.is_empty() && !text.contains('/'),
        "^[^/]" => text.starts_with(|first| first != '/'),
        "^(text|base64):" => text.starts_with("text:") || text.starts_with("base64:"),
        "^sha256:[0-9a-f]{64}$" => text.strip_prefix("sha256:").is_some_and(|digits| digits.len() == 64),
        other => panic!("the pattern `{other}` is new to this test"),
    }
}

/// The places of all members and alternatives of the schema.
fn places(schema: &Value, at: &str, found: &mut BTreeSet<String>) {
    for (keyword, rule) in schema.as_object().into_iter().flatten() {
        let place = format!("{at}/{keyword}");
        let children: Vec<(String, &Value)> = match rule {
            Value::Object(members) => members.iter().map(|(name, member)| (format!("{place}/{name}"), member)).collect(),
            Value::Array(items) => items.iter().enumerate().map(|(index, item)| (format!("{place}/{index}"), item)).collect(),
            _ => Vec::new(),
        };
        match keyword.as_str() {
            "items" => places(rule, &place, found),
            "properties" | "oneOf" | "$defs" => {
                for (child, schema) in children {
                    places(schema, &child, found);
                    if keyword != "$defs" {
                        found.insert(child);
                    }
                }
            }
            _ => {}
        }
    }
}

fn validator() -> Validator {
    Validator { root: serde_json::from_str(SCHEMA).expect("the schema is JSON"), met: BTreeSet::new() }
}

fn validated(value: &Value) -> Result<Validator, String> {
    let mut validator = validator();
    let root = validator.root.clone();
    validator.validate(&root, "", value).map(|()| validator)
}

#[test]
fn knows_every_word_of_a_plan_and_no_other() {
    let plan = serde_json::to_value(samples::of_everything()).expect("a plan is JSON");
    let validator = validated(&plan).unwrap_or_else(|reason| panic!("{reason}"));
    let mut all = BTreeSet::new();
    places(&validator.root, "", &mut all);
    assert!(all.len() > 80, "the schema was walked: {}", all.len());
    assert_eq!(all.difference(&validator.met).collect::<Vec<_>>(), Vec::<&String>::new(), "no plan says these");
}

#[test]
fn fits_a_real_plan() {
    let plan = serde_json::to_value(samples::extended()).expect("a plan is JSON");
    validated(&plan).unwrap_or_else(|reason| panic!("{reason}"));
}

#[test]
fn refuses_what_is_no_plan() {
    let plan = serde_json::to_value(samples::of_everything()).expect("a plan is JSON");
    let broken: [fn(&mut Value); 5] = [
        |plan| plan["extra"] = Value::Null,
        |plan| plan["schema"] = 2.into(),
        |plan| plan["steps"][0]["action"]["kind"] = "dance".into(),
        |plan| plan["contents"][3]["path"] = "relative".into(),
        |plan| plan["products"][0]["step"] = "1".into(),
    ];
    for (index, spoil) in broken.iter().enumerate() {
        let mut plan = plan.clone();
        spoil(&mut plan);
        assert!(validated(&plan).is_err(), "row {index}");
    }
}

#[test]
fn reads_back_what_it_wrote() {
    for plan in [samples::of_everything(), samples::extended()] {
        let json = serde_json::to_string(&plan).expect("a plan is JSON");
        assert_eq!(serde_json::from_str::<super::Plan>(&json).expect("and back"), plan);
    }
}

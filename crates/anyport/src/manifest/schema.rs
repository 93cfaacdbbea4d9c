//! Makes the JSON Schema from the types of `document`, and keeps the published file up to date.

use serde_json::Value;

use super::SCHEMA;
use super::document::Document;

/// TOML has no null: what may be left out is an optional key, not a nullable one. And what an integer's format allows is said as a bound,
/// which every validator understands.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.values_mut().for_each(plain);
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    map.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(any)) = map.get_mut("anyOf") {
                any.retain(|one| one.get("type").is_none_or(|name| name != "null"));
                if let [Value::Object(only)] = any.as_slice() {
                    let only = only.clone();
                    map.remove("anyOf");
                    map.extend(only);
                }
            }
            let most = match map.get("format").and_then(Value::as_str) {
                Some("uint8") => Some(u8::MAX.into()),
                Some("uint32") => Some(u32::MAX),
                _ => None,
            };
            if let Some(most) = most {
                map.insert("maximum".to_owned(), most.into());
            }
            if map.get("default").is_some_and(Value::is_null) {
                map.remove("default");
            }
        }
        Value::Array(list) => list.iter_mut().for_each(plain),
        _ => {}
    }
}

fn generate() -> String {
    let mut schema = schemars::schema_for!(Document).to_value();
    plain(&mut schema);
    // Whether objects keep the order in which they were made is up to what else is in the build.
    schema.sort_all_objects();
    let mut text = serde_json::to_string_pretty(&schema).unwrap();
    text.push('\n');
    text
}

/// Run with `ANYPORT_BLESS=1` to write the file anew.
#[test]
fn the_published_schema_is_what_the_types_say() {
    let made = generate();
    if std::env::var_os("ANYPORT_BLESS").is_some() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src/manifest/anyport.schema.json"
        );
        std::fs::write(path, &made).unwrap();
        return;
    }
    assert!(
        made == SCHEMA,
        "the types and the published schema differ; run the test with ANYPORT_BLESS=1 and look at the difference"
    );
}

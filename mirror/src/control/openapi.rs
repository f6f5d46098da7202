//! `GET /_mirror/openapi.json`: what the control calls take and answer.

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value, json};

use super::routes::ROUTES;
use crate::state::App;

/// Descriptions of all control calls.
const DOCUMENT: &str = include_str!("openapi.json");

/// The document, with the calls of this mirror and its address.
pub(crate) async fn show(State(app): State<App>) -> Json<Value> {
    let mut document = document();
    document["servers"] = json!([{ "url": app.base_url() }]);
    Json(document)
}

/// The calls that are served, as described.
fn document() -> Value {
    let mut document: Value = serde_json::from_str(DOCUMENT).unwrap_or_default();
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    let mut paths = Map::new();
    for route in ROUTES {
        let described = &document["paths"][route.path][route.method.to_lowercase()];
        if described.is_object() {
            let path = paths.entry(route.path).or_insert_with(|| json!({}));
            path[route.method.to_lowercase()] = described.clone();
        }
    }
    document["paths"] = paths.into();
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_described_and_every_description_is_a_call() {
        let all: Value = serde_json::from_str(DOCUMENT).unwrap();
        let mut described: Vec<String> = Vec::new();
        for (path, methods) in all["paths"].as_object().unwrap() {
            for (method, call) in methods.as_object().unwrap() {
                described.push(format!("{} {path}", method.to_uppercase()));
                assert!(call["summary"].is_string(), "{method} {path}");
                assert!(call["responses"]["200"].is_object(), "{method} {path}");
                for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
                    let parameters = call["parameters"].as_array().unwrap_or_else(|| panic!("{path}"));
                    assert!(parameters.iter().any(|parameter| parameter["name"] == name), "{path} {name}");
                }
            }
        }
        for route in ROUTES {
            let call = format!("{} {}", route.method, route.path);
            assert!(described.contains(&call), "{call} is not described");
        }
        let served = document();
        let calls: usize =
            served["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len()).sum();
        assert_eq!(calls, ROUTES.len());
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(value: &Value, document: &Value) {
            match value {
                Value::Object(object) => {
                    if let Some(Value::String(reference)) = object.get("$ref") {
                        let pointer = reference.strip_prefix('#').unwrap();
                        assert!(document.pointer(pointer).is_some(), "{reference}");
                    }
                    object.values().for_each(|value| walk(value, document));
                }
                Value::Array(list) => list.iter().for_each(|value| walk(value, document)),
                _ => {}
            }
        }
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        walk(&document, &document);
    }
}

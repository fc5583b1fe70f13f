//! What a build may not leave behind. Every image of a lab bears its label, and containers and products inherit it, so that labs can
//! run side by side; volumes inherit nothing and are found by the builds that the lab's containers belonged to.

use std::{collections::BTreeSet, time::SystemTime};

use anyhow::Result;
use serde_json::{Value, json};
use sti_test_engine::{Body, Engine};

/// Who to look for.
pub(crate) struct Trace<'a> {
    pub(crate) engine: &'a Engine,
    /// `sti.test=…`.
    pub(crate) label: &'a str,
    /// Seconds since the epoch when the lab was opened.
    pub(crate) since: u64,
}

impl Trace<'_> {
    /// The identifiers of the builds that made containers from images of the lab.
    pub(crate) fn builds(&self) -> Result<BTreeSet<String>> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let filters = json!({ "type": ["container"], "event": ["create"], "label": [self.label] });
        let path = format!(
            "/events?since={}&until={}.{:09}&filters={}",
            self.since,
            now.as_secs(),
            now.subsec_nanos(),
            escaped(&filters)
        );
        let mut answer = self.engine.send("GET", &path, Body::None)?.good()?;
        let text = answer.text()?;
        let events = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
        let builds = events.filter_map(|event| Some(event.ok()?["Actor"]["Attributes"]["sti.build"].as_str()?.to_owned()));
        Ok(builds.collect())
    }

    /// Containers of the lab.
    pub(crate) fn containers(&self) -> Result<Vec<String>> {
        let found = self.engine.get(&format!("/containers/json?all=1&filters={}", escaped(&json!({ "label": [self.label] }))))?;
        Ok(strings(&found, "Id"))
    }

    /// Volumes of these builds.
    pub(crate) fn volumes(&self, builds: &BTreeSet<String>) -> Result<Vec<String>> {
        let found = self.engine.get(&format!("/volumes?filters={}", escaped(&json!({ "label": ["sti.build"] }))))?;
        let volumes = found["Volumes"].as_array().into_iter().flatten();
        let of_builds =
            volumes.filter(|volume| volume["Labels"]["sti.build"].as_str().is_some_and(|build| builds.contains(build)));
        Ok(of_builds.filter_map(|volume| volume["Name"].as_str().map(str::to_owned)).collect())
    }

    /// Images of the lab, by id: all, or those without a name.
    pub(crate) fn images(&self, without_name: bool) -> Result<Vec<String>> {
        let mut filters = json!({ "label": [self.label] });
        if without_name {
            filters["dangling"] = json!(["true"]);
        }
        Ok(strings(&self.engine.get(&format!("/images/json?filters={}", escaped(&filters)))?, "Id"))
    }
}

fn strings(found: &Value, field: &str) -> Vec<String> {
    let each = found.as_array().into_iter().flatten();
    each.filter_map(|one| one[field].as_str().map(str::to_owned)).collect()
}

/// A JSON value as it may stand in a query.
fn escaped(value: &Value) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    value
        .to_string()
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

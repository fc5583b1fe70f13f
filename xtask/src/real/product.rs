//! Products: each is run as its image says and as a user that a platform makes up, and shows what it should.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use sti_test_engine::Engine;

use crate::{
    commands::{self, command},
    page::Served,
};

use super::{
    LABEL,
    cases::{Case, Shows},
};

/// The user of the image, who need not be named, and one of whom it never heard: of the group 0, as platforms run images.
const USERS: &[(Option<&str>, &str)] = &[(None, "1001"), (Some("12345:0"), "12345")];

/// Runs the product as each user and looks at what it shows.
pub(super) fn check(engine: &Engine, case: &Case, product: &str) -> Result<()> {
    for (user, uid) in USERS {
        let shown = show(engine, case.shows, product, *user)?;
        println!("    {}", shown.trim_end());
        let wanted = case.text.replace("UID", uid);
        ensure!(shown == wanted, "the product shows {shown:?}, and not {wanted:?}");
    }
    Ok(())
}

fn show(engine: &Engine, shows: Shows, product: &str, user: Option<&str>) -> Result<String> {
    let flags = user.map_or_else(Vec::new, |user| vec!["--user", user]);
    commands::show(&command("docker", [&["run", "--rm"][..], &flags, &[product]].concat()));
    let ports = json!({ "8080/tcp": [{ "HostIp": "127.0.0.1", "HostPort": "" }] });
    let host = if shows == Shows::Page { json!({ "PortBindings": ports }) } else { json!({}) };
    let request = json!({ "Image": product, "User": user.unwrap_or_default(), "HostConfig": host, "Labels": { LABEL: "1" } });
    match shows {
        Shows::Output => {
            let ended = engine.run(&request)?;
            ensure!(ended.code == 0, "the product ended with {}: {:?}", ended.code, ended.output);
            Ok(ended.output.stdout)
        }
        Shows::Page => page(engine, &request),
    }
}

fn page(engine: &Engine, request: &Value) -> Result<String> {
    let id = engine.create_container(request)?;
    let served = engine.post(&format!("/containers/{id}/start"), &Value::Null).and_then(|_| Served::by(engine, &id));
    engine.remove_container(&id)?;
    Ok(served?.page)
}

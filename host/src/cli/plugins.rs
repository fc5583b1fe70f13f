//! `sti plugins`.

use std::{fs, process::ExitCode};

use serde_json::json;
use sti_sandbox::{Card, Kind};

use super::{
    args::{Output, PluginsCommand},
    report::{print_json, print_line},
    surroundings,
};
use crate::{Known, Origin, StiError};

pub(super) async fn run(command: PluginsCommand, output: &Output) -> Result<ExitCode, StiError> {
    let workplace = surroundings::workplace(command.policy.as_deref())?;
    let known = match &command.file {
        None => workplace.plugins.known(&workplace.policy).await?,
        Some(path) => {
            let shown = path.display().to_string();
            let bytes = fs::read(path).map_err(|error| StiError::InvalidArgument {
                what: format!("cannot read the component `{shown}`: {error}"),
                hint: None,
            })?;
            vec![workplace.plugins.examine(&shown, &bytes, &workplace.policy).await?]
        }
    };
    if output.json {
        let plugins: Vec<_> = known
            .iter()
            .map(|known| json!({"name": known.name, "digest": known.digest, "origin": origin(known), "card": known.card}))
            .collect();
        print_json(&json!({ "plugins": plugins }));
    } else {
        known.iter().for_each(print);
    }
    Ok(ExitCode::SUCCESS)
}

fn origin(known: &Known) -> String {
    match &known.origin {
        Origin::Shipped => "shipped".to_owned(),
        Origin::File(path) => path.display().to_string(),
    }
}

fn print(known: &Known) {
    match &known.card {
        Some(card) => print_card(card),
        None => print_line(&format!("{}, not vetted by policy", known.name)),
    }
    print_line(&format!("    digest {}", known.digest));
    print_line(&format!("    {}", origin(known)));
}

fn print_card(card: &Card) {
    let kinds: Vec<_> = card.kinds.iter().map(|kind| kind.name()).collect();
    let aliases = if card.aliases.is_empty() { String::new() } else { format!(" (also {})", card.aliases.join(", ")) };
    print_line(&format!("{}{aliases} {}, {}", card.name, card.version, kinds.join(" and ")));
    print_line(&format!("    {}", card.summary));
    let needs = if card.needs.is_empty() { "nothing".to_owned() } else { card.needs.join(", ") };
    print_line(&format!("    may use {needs}"));
    if card.kinds.contains(&Kind::Fetcher) {
        let schemes = card.schemes.iter().map(|scheme| format!("{scheme}:"));
        let fetches: Vec<_> = schemes.chain(card.suffixes.iter().map(|ending| format!("…{ending}"))).collect();
        print_line(&format!("    fetches {}", if fetches.is_empty() { "by name only".to_owned() } else { fetches.join(", ") }));
    }
    let flag = if card.kinds.contains(&Kind::Fetcher) { "--fetch-set" } else { "--set" };
    for setting in &card.settings {
        let default = setting.default.as_ref().map(|default| format!(" [default: {default}]")).unwrap_or_default();
        print_line(&format!("    {flag} {}=…  {}{default}", setting.name, setting.summary));
    }
}

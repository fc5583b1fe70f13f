//! `sti fetch`: what a fetcher makes of an address, without a build.

use std::process::ExitCode;

use serde_json::json;

use super::{
    args::{FetchCommand, Output},
    destination::Destination,
    display,
    interrupt::Interrupts,
    report::{print_json, print_line},
    request,
    source::{self, Word},
    surroundings,
};
use crate::{StiError, fetch};

pub(super) async fn run(command: FetchCommand, output: &Output) -> Result<ExitCode, StiError> {
    let Word::Address(address, login) = source::read(&command.source)? else {
        return Err(StiError::InvalidArgument {
            what: format!("`{}` is on this machine already, and need not be fetched", command.source.display()),
            hint: Some("give it to `sti build` as it is; `archive:FILE` unpacks one".to_owned()),
        });
    };
    let address = request::narrowed(*address, login, &command.fetching, ".")?;
    let mut interrupts = Interrupts::listen()?;
    let progress = display::of(&Output { json: false, ..output.clone() });
    let workplace = surroundings::workplace(command.policy.as_deref())?;
    let into = Destination::at(&command.dir)?;
    let fetched = interrupts.unless(fetch(&address, into.dir(), &workplace.plugins, &workplace.policy, &progress)).await?;
    into.keep();
    if output.json {
        let facts: serde_json::Map<_, _> = fetched.facts.iter().map(|fact| (fact.name.clone(), json!(fact.value))).collect();
        let summary = fetched.summary.unwrap_or_default();
        let (entries, bytes) = (summary.entries, summary.bytes);
        print_json(&json!({"address": address.written, "dir": command.dir, "entries": entries, "bytes": bytes, "facts": facts}));
    } else if !output.quiet {
        fetched.facts.iter().for_each(|fact| print_line(&format!("{:<12} {}", fact.name, fact.value)));
    }
    Ok(ExitCode::SUCCESS)
}

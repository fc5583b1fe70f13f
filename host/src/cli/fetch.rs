//! `sti fetch`: what a fetcher makes of an address, without a build.

use std::{process::ExitCode, sync::Arc};

use serde_json::{Value, json};
use sti_core::BuildId;

use super::{
    args::{FetchCommand, Output},
    destination::Destination,
    display,
    interrupt::Interrupts,
    report::{print_json, print_line},
    request, scratch,
    source::{self, Word},
    surroundings,
};
use crate::{Fetched, SourceAddress, StiError, Target, fetch};

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
    scratch::tell_of(&address, command.fetching.no_cache, progress.as_ref());
    let workplace = surroundings::workplace(command.policy.as_deref())?;
    let destination = command.dir.as_deref().map(Destination::at).transpose()?;
    let into = target(destination.as_ref(), &address)?;
    let fetching = Box::pin(fetch(&address, &into, &workplace.plugins, &workplace.policy, &progress));
    let fetched = interrupts.unless(fetching).await?;
    if let Some(destination) = destination {
        destination.keep();
    }
    if let Some(store) = address.store.as_ref().filter(|_| !fetched.is_reused) {
        store.tidy();
        if command.dir.is_none() {
            // To be kept is all that it was fetched for.
            let _unsettled = store.settle();
        }
    }
    if output.json {
        print_json(&as_json(&command, &address, &fetched));
    } else if !output.quiet {
        fetched.facts.iter().for_each(|fact| print_line(&format!("{:<12} {}", fact.name, fact.value)));
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(command: &FetchCommand, address: &SourceAddress, fetched: &Fetched) -> Value {
    let facts: serde_json::Map<_, _> = fetched.facts.iter().map(|fact| (fact.name.clone(), json!(fact.value))).collect();
    let summary = fetched.summary.unwrap_or_default();
    let kept = fetched.kept.as_ref().map(|kept| kept.path());
    let (entries, bytes) = (summary.entries, summary.bytes);
    json!({"address": address.written, "dir": command.dir, "kept": kept, "entries": entries, "bytes": bytes, "facts": facts})
}

/// The user's directory, or the cache.
fn target(destination: Option<&Destination>, address: &SourceAddress) -> Result<Target, StiError> {
    match (destination, &address.store) {
        (Some(destination), _) => Ok(Target::Directory(Arc::clone(destination.dir()))),
        (None, Some(store)) => Ok(Target::Scratch(Arc::new(scratch::of_build(&BuildId::draw(), Some(store.as_ref()))?))),
        (None, None) => Err(StiError::InvalidArgument {
            what: format!("nothing would come of fetching `{}`: it would be kept nowhere", address.written),
            hint: Some("name a directory for it: sti fetch ADDRESS DIR".to_owned()),
        }),
    }
}

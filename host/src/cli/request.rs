//! The words of `sti build` and `sti plan` turned into a request.

use std::{fs, path::Path};

use sti_core::{Pull, Reference, Variable, plan::Network};

use super::{
    args::{ContractChoice, NetworkChoice, PullChoice, WhatToBuild},
    environment, source,
};
use crate::{BuildRequest, StiError, StrategyChoice};

/// Reads everything that can be wrong with the request before any work is done.
pub(super) fn build_request(what: &WhatToBuild) -> Result<BuildRequest, StiError> {
    let builder_image = Reference::parse(&what.builder_image)?;
    let tag = tag(&what.tag)?;
    let runtime_image = what.runtime.as_deref().map(Reference::parse).transpose()?;
    let environment = environment_of(what)?;
    let settings = pairs("--set", &what.set)?;
    let labels = pairs("--label", &what.label)?;
    refuse_reference(what)?;
    let strategy = strategy(&what.strategy)?;
    let tree = source::open(&what.source)?;
    let source = if what.context_dir == "." { tree } else { tree.within(&what.context_dir)? };
    Ok(BuildRequest {
        source_address: address(&what.source),
        runtime_image,
        strategy,
        clean: what.clean,
        environment,
        settings,
        labels,
        pull: pull(what.pull),
        network: network(what.network),
        contract: what.contract.map(contract).transpose()?,
        ..BuildRequest::new(source, builder_image, tag)
    })
}

pub(super) fn pull(choice: PullChoice) -> Pull {
    match choice {
        PullChoice::Missing => Pull::Missing,
        PullChoice::Always => Pull::Always,
        PullChoice::Never => Pull::Never,
    }
}

pub(super) fn contract(choice: ContractChoice) -> Result<String, StiError> {
    match choice {
        ContractChoice::Prepare => Ok("prepare".to_owned()),
        ContractChoice::Assemble => Err(StiError::InvalidArgument {
            what: "`--contract assemble` comes with a later version of sti".to_owned(),
            hint: Some("use an image with /usr/bin/prepare and /usr/bin/run, and leave `--contract` away".to_owned()),
        }),
    }
}

fn network(choice: NetworkChoice) -> Network {
    match choice {
        NetworkChoice::Outgoing => Network::Outgoing,
        NetworkChoice::None => Network::None,
    }
}

/// What comes out is named by a tag; a digest is not for us to choose.
fn tag(written: &str) -> Result<Reference, StiError> {
    let tag = Reference::parse(written)?;
    match tag.digest() {
        None => Ok(tag),
        Some(_) => Err(StiError::InvalidArgument {
            what: format!("`{written}` cannot be the name of a product: its digest is known only when it is there"),
            hint: written.split_once('@').map(|(name, _)| name.to_owned()),
        }),
    }
}

fn environment_of(what: &WhatToBuild) -> Result<Vec<Variable>, StiError> {
    let mut all = Vec::new();
    for path in &what.env_file {
        let text = fs::read_to_string(path).map_err(|error| StiError::InvalidEnvironment {
            what: format!("cannot read `{}`: {error}", path.display()),
            hint: Some("-E FILE, with one NAME=VALUE a line".to_owned()),
        })?;
        all.extend(environment::file(&text, path)?);
    }
    for given in &what.env {
        all.extend(environment::variables(given)?);
    }
    Ok(environment::merged(all))
}

fn pairs(flag: &str, given: &[String]) -> Result<Vec<Variable>, StiError> {
    let pairs: Result<Vec<_>, _> = given.iter().map(|pair| environment::pair(flag, pair)).collect();
    let pairs = environment::merged(pairs?);
    match pairs.iter().find(|pair| flag == "--label" && pair.name.starts_with("sti.")) {
        None => Ok(pairs),
        Some(label) => Err(StiError::InvalidArgument {
            what: format!("the label `{}` cannot be given: `sti.` is what clean-up goes by", label.name),
            hint: Some("choose another name".to_owned()),
        }),
    }
}

fn refuse_reference(what: &WhatToBuild) -> Result<(), StiError> {
    let Some(reference) = &what.r#ref else { return Ok(()) };
    Err(StiError::InvalidRef {
        what: format!("`--ref {reference}` belongs to a git source, and `{}` is none", what.source.display()),
        hint: Some("check the revision out and leave `--ref` away".to_owned()),
    })
}

/// A name, unless it looks like a path: it ends in `.wasm` or holds a slash.
fn strategy(word: &str) -> Result<StrategyChoice, StiError> {
    let is_path = word.contains('/') || Path::new(word).extension().is_some_and(|extension| extension == "wasm");
    if !is_path {
        return Ok(StrategyChoice::Named(word.to_owned()));
    }
    let bytes = fs::read(word).map_err(|error| StiError::InvalidArgument {
        what: format!("cannot read the component `{word}`: {error}"),
        hint: Some("`--strategy` takes a name that `sti plugins` lists, or the path of a component".to_owned()),
    })?;
    Ok(StrategyChoice::File { shown: word.to_owned(), bytes })
}

/// The source as labels record it: absolute, so that it means something elsewhere on this machine.
fn address(source: &Path) -> String {
    source.canonicalize().unwrap_or_else(|_| source.to_owned()).display().to_string()
}

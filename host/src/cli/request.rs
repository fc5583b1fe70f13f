//! The words of `sti build` and `sti plan` turned into a request.

use std::{fs, path::Path, sync::Arc};

use sti_core::{BuildId, Incremental, Pull, Reference, Variable, Wishes, plan::Network};
use sti_network::Login;
use sti_policy::{FetchLimit, FetchLimits, Triggers};

use super::{
    args::{ContractChoice, Fetching, IncrementalChoice, NetworkChoice, PullChoice, WhatToBuild},
    environment, lent, scratch, scripts,
    source::{self, Word},
    web,
};
use crate::{BuildRequest, FetcherChoice, ScriptsAddress, Source, SourceAddress, StiError, StrategyChoice, Target};

/// Reads everything that can be wrong with the request before any work is done. What is fetched goes to a directory that is removed with
/// the request.
pub(super) fn build_request(what: &WhatToBuild, build: &BuildId) -> Result<BuildRequest, StiError> {
    let builder_image = Reference::parse(&what.builder_image)?;
    let tag = tag(&what.tag)?;
    let runtime_image = what.runtime.as_deref().map(Reference::parse).transpose()?;
    let environment = environment_of(what)?;
    let lent = lent::read(&what.lent, &environment)?;
    let settings = pairs("--set", &what.set)?;
    let labels = pairs("--label", &what.label)?;
    let strategy = strategy(&what.strategy)?;
    let (source, source_address) = source(what, build)?;
    Ok(BuildRequest {
        source_address,
        runtime_image,
        strategy,
        clean: what.clean,
        environment,
        build_environment: lent.environment,
        secrets: lent.secrets,
        injected: lent.injected,
        settings,
        labels,
        pull: pull(what.pull),
        network: network(what.network),
        contract: what.contract.or_else(|| what.assembling.contract()).map(contract),
        wishes: wishes(what),
        scripts: scripts(what)?,
        triggers: if what.allowing.allow_onbuild { Triggers::Allowed } else { Triggers::Refused },
        allowed_uids: what.allowing.allowed_uids.clone(),
        application_name: what.application_name.clone(),
        description: what.description.clone(),
        context_dir: what.context_dir.clone(),
        ..BuildRequest::new(source, builder_image, tag)
    })
}

/// What is built, and where labels say it is from.
fn source(what: &WhatToBuild, build: &BuildId) -> Result<(Source, String), StiError> {
    match source::read(&what.source)? {
        Word::Tree(tree) => {
            refuse_fetching(what)?;
            let tree = if what.context_dir == "." { tree } else { tree.within(&what.context_dir)? };
            Ok((tree.into(), address(&what.source)))
        }
        Word::Address(address, login) => {
            let address = narrowed(*address, login, &what.fetching, &what.context_dir)?;
            let into = Target::Scratch(Arc::new(scratch::of_build(build, address.store.as_deref())?));
            let written = address.written.clone();
            Ok((Source::Address { address: Box::new(address), into }, written))
        }
    }
}

/// An address with what the flags say of it.
pub(super) fn narrowed(
    address: SourceAddress,
    login: Option<Login>,
    flags: &Fetching,
    context_dir: &str,
) -> Result<SourceAddress, StiError> {
    let reference = match (address.reference.clone(), flags.r#ref.clone()) {
        (Some(written), Some(flag)) if written != flag => {
            return Err(StiError::InvalidRef {
                what: format!("`{}` and `--ref {flag}` name two revisions", address.written),
                hint: Some("leave one of them out".to_owned()),
            });
        }
        (written, flag) => flag.or(written),
    };
    let mut settings = pairs("--fetch-set", &flags.fetch_set)?;
    settings.extend(flags.strip_components.iter().map(|levels| Variable::new("strip-components", levels.clone())));
    settings.extend(flags.no_submodules.then(|| Variable::new("submodules", "no")));
    settings.extend(flags.lfs.iter().map(|choice| Variable::new("lfs", choice.clone())));
    let subdirectory = if context_dir == "." { String::new() } else { context_dir.to_owned() };
    let fetcher = flags.fetcher.as_deref().map_or(Ok(FetcherChoice::ByAddress), fetcher)?;
    let limits = limits(&flags.limit)?;
    let checksum = flags.checksum.as_deref().map(checksum).transpose()?;
    // A file reaches no server. A repository of this machine names none, but its submodules may: `--allow-host` grants those.
    let web = if address.file.is_some() { None } else { Some(Arc::new(web::surroundings(login, flags)?)) };
    let (store, spool) = (scratch::store(flags.no_cache)?, Some(Arc::new(scratch::spool()?)));
    Ok(SourceAddress { reference, subdirectory, settings, fetcher, checksum, limits, spool, web, store, ..address })
}

fn fetcher(word: &str) -> Result<FetcherChoice, StiError> {
    Ok(match component("--fetcher", word)? {
        Some(bytes) => FetcherChoice::File { shown: word.to_owned(), bytes },
        None => FetcherChoice::Named(word.to_owned()),
    })
}

/// `sha256:` and 64 hexadecimal digits.
pub(super) fn checksum(given: &str) -> Result<String, StiError> {
    let digits = given.strip_prefix("sha256:").unwrap_or_default().to_ascii_lowercase();
    if digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(digits);
    }
    Err(StiError::InvalidArgument {
        what: format!("`{given}` is no checksum"),
        hint: Some("--checksum sha256:DIGITS, as `sha256sum FILE` prints them".to_owned()),
    })
}

fn limits(given: &[String]) -> Result<FetchLimits, StiError> {
    let mut limits = FetchLimits::default();
    for pair in pairs("--limit", given)? {
        let refused = |what: String| StiError::InvalidArgument {
            what,
            hint: Some(format!("--limit {}", FetchLimit::ALL.map(|limit| format!("{}=NUMBER", limit.key())).join(", --limit "))),
        };
        let (name, value) = (&pair.name, &pair.value);
        let number: u64 = value.parse().map_err(|_| refused(format!("the limit `{name}` is no number: `{value}`")))?;
        match FetchLimit::of(name) {
            Some(limit) if number > limit.most() => {
                return Err(refused(format!("the limit `{name}` goes up to {}, and not to {number}", limit.most())));
            }
            Some(limit) => limits.set(limit, number),
            None => return Err(refused(format!("there is no limit `{name}`"))),
        }
    }
    Ok(limits)
}

pub(super) fn pull(choice: PullChoice) -> Pull {
    match choice {
        PullChoice::Missing => Pull::Missing,
        PullChoice::Always => Pull::Always,
        PullChoice::Never => Pull::Never,
    }
}

pub(super) fn contract(choice: ContractChoice) -> String {
    match choice {
        ContractChoice::Prepare => "prepare",
        ContractChoice::Assemble => "assemble",
    }
    .to_owned()
}

/// An argument that makes no sense, and one that would.
pub(super) fn hinted(what: String, hint: &str) -> StiError {
    StiError::InvalidArgument { what, hint: Some(hint.to_owned()) }
}

fn scripts(what: &WhatToBuild) -> Result<Option<ScriptsAddress>, StiError> {
    let url = what.assembling.scripts_url.as_deref();
    Ok(url.map(|url| scripts::address(url, &what.fetching)).transpose()?.flatten())
}

fn wishes(what: &WhatToBuild) -> Wishes {
    let said = &what.assembling;
    Wishes {
        incremental: incremental(what.incremental),
        scripts_url: said.scripts_url.clone(),
        destination: said.destination.clone(),
        assemble_user: said.assemble_user.clone(),
        assemble_runtime_user: said.assemble_runtime_user.clone(),
        runtime_artifacts: said.runtime_artifact.clone(),
    }
}

fn incremental(choice: Option<IncrementalChoice>) -> Incremental {
    match choice {
        None | Some(IncrementalChoice::False) => Incremental::AsUsual,
        Some(IncrementalChoice::Wanted) => Incremental::Wanted,
        Some(IncrementalChoice::Require) => Incremental::Required,
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
    for given in &what.configured.env_whole {
        all.push(environment::whole(given)?);
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

/// Flags that are about servers, and not about what they serve.
const OF_SERVERS: [&str; 2] = ["--allow-host", "--ca-cert"];

/// Flags that say how to fetch mean something else where nothing is fetched: that is told, not passed over.
fn refuse_fetching(what: &WhatToBuild) -> Result<(), StiError> {
    let shown = what.source.display();
    if let Some(reference) = &what.fetching.r#ref {
        return Err(StiError::InvalidRef {
            what: format!("`--ref {reference}` belongs to a git source, and `{shown}` is none"),
            hint: Some("check the revision out and leave `--ref` away".to_owned()),
        });
    }
    let is_for_scripts = |flag: &str| OF_SERVERS.contains(&flag) && what.assembling.are_scripts_on_a_server();
    match what.fetching.flags().find(|flag| !is_for_scripts(flag)) {
        None => Ok(()),
        Some(flag) => Err(StiError::InvalidArgument {
            what: format!("`{flag}` says how to fetch, and `{shown}` is here already"),
            hint: Some("leave it away, or write `archive:FILE` to have a file unpacked".to_owned()),
        }),
    }
}

fn strategy(word: &str) -> Result<StrategyChoice, StiError> {
    Ok(match component("--strategy", word)? {
        Some(bytes) => StrategyChoice::File { shown: word.to_owned(), bytes },
        None => StrategyChoice::Named(word.to_owned()),
    })
}

/// The bytes of a component where the word looks like a path: it ends in `.wasm` or holds a slash. Else it is a name.
fn component(flag: &str, word: &str) -> Result<Option<Vec<u8>>, StiError> {
    let is_path = word.contains('/') || Path::new(word).extension().is_some_and(|extension| extension == "wasm");
    if !is_path {
        return Ok(None);
    }
    fs::read(word).map(Some).map_err(|error| StiError::InvalidArgument {
        what: format!("cannot read the component `{word}`: {error}"),
        hint: Some(format!("`{flag}` takes a name that `sti plugins` lists, or the path of a component")),
    })
}

/// The source as labels record it: absolute, so that it means something elsewhere on this machine.
fn address(source: &Path) -> String {
    source.canonicalize().unwrap_or_else(|_| source.to_owned()).display().to_string()
}

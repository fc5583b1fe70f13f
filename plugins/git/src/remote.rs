//! A server: which references it has, and what it sends when asked.

use std::{
    collections::HashMap,
    error::Error,
    io::{self, Read},
    ops::ControlFlow,
};

use gix_hash::ObjectId;
use gix_protocol::{
    Command, LsRefsCommand,
    fetch::{Arguments, Response},
    handshake::{Ref, refs},
    ls_refs::RefPrefixes,
};
use gix_transport::{
    Protocol, Service,
    client::{
        Capabilities,
        blocking_io::{SetServiceResponse, Transport},
    },
};
use gix_utils::progress::Discard;
use sti_plugin::Problem;

use crate::{
    kept::{self, Kept},
    line,
    location::Location,
    packs::{self, Packs},
    trouble::{self, Budget, Trouble},
    web,
};

/// How much a server may say beside the pack.
const BESIDE_THE_PACK: usize = 16 << 20;

/// How much a server may say behind the pack before it is taken for one that never ends.
const AFTER_THE_PACK: u64 = 1 << 20;

/// How a server of the first version of the protocol tells that a name stands for another.
const TARGET: &str = "symref";

/// What a server says to a hello.
type Greeting = (Protocol, Capabilities, Option<Vec<Reference>>);

/// A server that said hello.
pub(crate) struct Remote {
    address: String,
    transport: Box<dyn Transport>,
    protocol: Protocol,
    capabilities: Capabilities,
    /// All its references, where it told them unasked, as in the first version of the protocol.
    known: Option<Vec<Reference>>,
    trouble: Trouble,
    /// For what comes before a pack.
    budget: Budget,
}

/// A name that a server has for an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The whole name, such as `refs/heads/main`.
    pub(crate) name: String,
    /// What it means in the end: of an annotated tag the commit.
    pub(crate) object: ObjectId,
    /// Of `HEAD` the branch.
    pub(crate) target: Option<String>,
}

/// What is asked for.
pub(crate) struct Request<'a> {
    pub(crate) wants: &'a [ObjectId],
    pub(crate) history: History,
}

/// How much of the history comes along.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum History {
    /// Nothing but the commits that were asked for, with their files.
    None,
    /// All of it, without any files.
    CommitsOnly,
    /// All of it.
    Whole,
}

impl Remote {
    /// Says hello.
    pub(crate) fn connect(location: &Location) -> Result<Self, Problem> {
        let (trouble, budget) = (Trouble::default(), Budget::new(Budget::LIST));
        let address = location.text().to_owned();
        let mut transport = match location {
            Location::Web(url) => web::open(url, &trouble)?,
            Location::Line(line) => line::open(line, &trouble, &budget)?,
            Location::Local(path) => return Err(not_shown(path)),
        };
        let hello = greet(transport.as_mut());
        let (protocol, capabilities, known) = hello.map_err(|error| trouble.or(|| trouble::server(&address, error.as_ref())))?;
        let remote = Self { address, transport, protocol, capabilities, known, trouble, budget };
        remote.check_object_format()?;
        Ok(remote)
    }

    fn check_object_format(&self) -> Result<(), Problem> {
        let format = self.capabilities.capability("object-format").and_then(|format| Some(format.value()?.to_string()));
        match format.as_deref() {
            None | Some("sha1") => Ok(()),
            Some(other) => Err(Problem::invalid(
                "object-format-not-supported",
                format!("`{}` is a repository with `{other}` identifiers; only `sha1` is supported", self.address),
            )
            .hint("build from a checkout: `git clone` it, and give the directory as the source")),
        }
    }

    /// Lists the references whose names start with one of these; all that the server has, where it cannot choose.
    pub(crate) fn references(&mut self, prefixes: &[String]) -> Result<Vec<Reference>, Problem> {
        if let Some(known) = &self.known {
            return Ok(known.clone());
        }
        let mut wanted = RefPrefixes::new();
        wanted.extend(prefixes.iter().map(|prefix| prefix.as_str().into()));
        let list = LsRefsCommand::new(Some(wanted), &self.capabilities, agent());
        let found = list.invoke_blocking(&mut self.transport, &mut Discard, false);
        let found = found.map_err(|error| self.trouble.or(|| trouble::server(&self.address, &error)))?;
        Ok(found.iter().filter_map(reference).collect())
    }

    /// Tells whether the server sends every commit that it has, as all do in the newest version of the protocol.
    pub(crate) fn sends_any_commit(&self) -> bool {
        self.protocol == Protocol::V2
    }

    /// Tells whether the server can send commits without files.
    pub(crate) fn can_leave_out_files(&self) -> bool {
        self.features().iter().any(|(name, _)| *name == "filter")
    }

    /// Tells whether the server sends what a commit adds to another one.
    pub(crate) fn sends_additions(&self) -> bool {
        let fetch = self.capabilities.capability("fetch");
        self.sends_any_commit() && fetch.is_some_and(|fetch| fetch.supports("shallow") == Some(true))
    }

    /// Fetches objects, and adds them to those of a commit that is there.
    pub(crate) fn fetch(&mut self, request: &Request, known: Option<Kept>) -> Result<Packs, Problem> {
        self.budget.lift();
        let version = self.protocol;
        let mut features = self.features();
        features.push(agent());
        Response::check_required_features(version, &features).map_err(|error| trouble::server(&self.address, &error))?;
        let mut arguments = Arguments::new(version, features, false);
        request.wants.iter().for_each(|want| arguments.want(want));
        if let Some(known) = &known {
            arguments.shallow(known.commit);
            arguments.have(known.commit);
        }
        match request.history {
            // A server that knows nothing of shallow fetches sends more than is needed, which does no harm.
            History::None if arguments.can_use_shallow() => arguments.deepen(1),
            History::CommitsOnly => arguments.filter("tree:0"),
            History::None | History::Whole => {}
        }
        let told = |error: &(dyn Error + 'static)| self.trouble.or(|| refused(&self.address, error));
        let mut reader = arguments.send(&mut self.transport, true).map_err(|error| told(&error))?;
        let response = Response::from_line_reader(version, &mut reader, true, false).map_err(|error| told(&error))?;
        if !response.has_pack() {
            return Err(trouble::damaged("no pack came"));
        }
        let (mut heard, trouble) = (0, self.trouble.clone());
        reader.set_progress_handler(Some(Box::new(move |is_error, text| {
            if is_error {
                let text = String::from_utf8_lossy(text);
                drop(trouble.keep(Problem::unavailable("fetch-failed", format!("the server says: {}", text.trim()))));
            }
            heard += text.len();
            if heard > BESIDE_THE_PACK { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })));
        let before = known.map_or_else(kept::nothing, |known| known.packs);
        let objects = packs::receive(&mut reader, before).map_err(|problem| self.trouble.or(|| problem))?;
        let told = |error: io::Error| self.trouble.or(|| trouble::server(&self.address, &error));
        let rest = io::copy(&mut reader.take(AFTER_THE_PACK), &mut io::sink()).map_err(told)?;
        if rest == AFTER_THE_PACK { Err(trouble::damaged("the server does not end")) } else { Ok(objects) }
    }

    /// What both sides can do. One stream for everything is of no use where nothing else comes.
    fn features(&self) -> Vec<(&'static str, Option<String>)> {
        let mut features = Command::Fetch.default_features(self.protocol, &self.capabilities);
        features.retain(|(name, _)| *name != "sideband-all");
        features
    }
}

fn agent() -> (&'static str, Option<String>) {
    ("agent", Some(gix_protocol::agent(concat!("sti-", env!("CARGO_PKG_VERSION")))))
}

fn reference(found: &Ref) -> Option<Reference> {
    let (name, object, peeled) = found.unpack();
    let target = match found {
        Ref::Symbolic { target, .. } => Some(target.to_string()),
        _ => None,
    };
    Some(Reference { name: name.to_string(), object: peeled.or(object)?.to_owned(), target })
}

/// Says hello, and answers with the version that the server speaks, what it can do, and its references where it told them unasked.
fn greet(transport: &mut dyn Transport) -> Result<Greeting, Box<dyn Error>> {
    let SetServiceResponse { actual_protocol, capabilities, refs } = transport.handshake(Service::UploadPack, &[])?;
    let Some(mut listed) = refs else { return Ok((actual_protocol, capabilities, None)) };
    // Which names stand for others is read here: one that the server does not list would end the plugin.
    let without_targets = capabilities.iter().filter(|capability| capability.name() != TARGET);
    let (listed, _) = refs::from_v1_refs_received_as_part_of_handshake_and_capabilities(&mut *listed, without_targets)?;
    let targets = targets(&capabilities);
    let known = listed.iter().filter_map(reference);
    let known = known.map(|known| Reference { target: targets.get(&known.name).cloned(), ..known }).collect();
    Ok((actual_protocol, capabilities, Some(known)))
}

/// Names that stand for others, and for which ones.
fn targets(capabilities: &Capabilities) -> HashMap<String, String> {
    let pairs = capabilities.iter().filter(|capability| capability.name() == TARGET).filter_map(|capability| {
        let pair = capability.value()?.to_string();
        let (name, target) = pair.split_once(':')?;
        Some((name.to_owned(), target.to_owned()))
    });
    pairs.filter(|(_, target)| target != "(null)").collect()
}

/// What a server means that does not send what was asked for.
fn refused(address: &str, error: &(dyn Error + 'static)) -> Problem {
    let told = trouble::told(error);
    if told.contains("not our ref") || told.contains("unadvertised object") {
        return Problem::not_found("commit-not-served", format!("`{address}` does not send this commit: {told}"))
            .hint("check the identifier, or name a branch or tag that holds it");
    }
    trouble::server(address, error)
}

/// Only the user's own address may be a directory: one that a submodule names is not shown to us.
fn not_shown(path: &str) -> Problem {
    Problem::invalid("source-not-found", format!("`{path}` is no directory that can be read here"))
        .hint("give the directory of a repository, such as `git:./app`; submodules beside it are left out with `--no-submodules`")
}

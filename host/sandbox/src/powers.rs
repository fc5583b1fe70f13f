//! What a guest can reach: one file per interface of the contract, and the inert WASI that every guest's standard library imports.

mod addresses;
mod budget;
mod card;
mod draft;
mod filling;
mod images;
mod log;
mod network;
mod plans;
mod requests;
mod spools;
mod trees;
mod words;

use std::{collections::HashMap, os::fd::AsRawFd, sync::Arc};

use cap_std::fs::Dir;

use sti_bindings::host::sti::host as wit;
use sti_core::{
    Blob, Finding, ImageFacts, Tree, Variable,
    tree::{GrowingFile, Summary, TreeWriter},
};
use sti_engine::Questions;
use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

pub(crate) use budget::Budget;
pub(crate) use draft::Draft;
pub(crate) use log::Voice;
use spools::Spools;
pub(crate) use words::problem_from_wit;

use crate::{
    Card, Errand, Job, Keeper, Limits, Powers, Reach, Scripts, Subject,
    calls::Clock,
    memory::Memory,
    output::Output,
    web::{Answer, Line, Web},
};

/// What one call keeps. Handles are numbers into it.
pub(crate) struct State {
    pub(crate) handles: ResourceTable,
    wasi: WasiCtx,
    pub(crate) memory: Memory,
    pub(crate) clock: Clock,
    voice: Voice,
    budget: Budget,
    questions: Option<Arc<dyn Questions>>,
    scripts: Option<Arc<dyn Scripts>>,
    asked: usize,
    images: Vec<ImageFacts>,
    tree: Option<Tree>,
    /// By their number.
    blobs: HashMap<u32, Blob>,
    spools: Spools,
    filled: Option<TreeWriter>,
    keeper: Option<Arc<dyn Keeper>>,
    reuse: Reuse,
    /// What was found out when the tree was asked for.
    known: Vec<Variable>,
    /// Files that were opened, by their number; nothing where one is finished.
    growing: HashMap<u32, Option<GrowingFile>>,
    web: Option<Arc<dyn Web>>,
    answers: HashMap<u32, Box<dyn Answer>>,
    lines: HashMap<u32, Box<dyn Line>>,
    /// How many blobs, files, answers and lines there were so far.
    opened: u32,
    pub(crate) card: Card,
    pub(crate) matter: Matter,
}

/// Whether a tree of an earlier fetch was asked for, and whether there was one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reuse {
    NotAsked,
    NothingKept,
    Taken(Summary),
}

/// What a call is about.
pub(crate) enum Matter {
    /// The plugin introduces itself.
    Introduction,
    /// It decides.
    Job(Box<Job>, Box<Draft>),
    /// It judges.
    Subject(Box<Subject>, Vec<Finding>),
    /// It fetches, and tells what it found out.
    Errand(Box<Errand>, Vec<Variable>),
}

impl State {
    /// A call in which nothing is granted.
    pub(crate) fn introduction(limits: &Limits, plugin: &str, output: &Output, card: Card) -> Self {
        Self { card, ..Self::new(limits, Voice::silent(plugin), None, output, Matter::Introduction) }
    }

    /// A call about a job.
    pub(crate) fn job(limits: &Limits, plugin: &str, powers: Powers, output: &Output, job: Job, draft: Draft) -> Self {
        let tree = job.source.clone();
        let voice = Voice::new(plugin, powers.progress, limits.log_bytes);
        let state = Self::new(limits, voice, Some(powers.questions), output, Matter::Job(Box::new(job), Box::new(draft)));
        Self { tree: Some(tree), scripts: powers.scripts, ..state }
    }

    /// A call about a subject.
    pub(crate) fn subject(limits: &Limits, plugin: &str, powers: Powers, output: &Output, subject: Subject) -> Self {
        let (tree, images) = (subject.source.clone(), subject.image.iter().cloned().collect());
        let voice = Voice::new(plugin, powers.progress, limits.log_bytes);
        let matter = Matter::Subject(Box::new(subject), Vec::new());
        Self { images, tree, ..Self::new(limits, voice, Some(powers.questions), output, matter) }
    }

    /// A call about an address, which fills a tree.
    pub(crate) fn errand(
        limits: &Limits,
        plugin: &str,
        reach: Reach,
        output: &Output,
        errand: Errand,
        tree: TreeWriter,
    ) -> wasmtime::Result<Self> {
        let voice = Voice::new(plugin, Arc::clone(&reach.progress), limits.log_bytes);
        let wasi = wasi_with(output, errand.input.as_deref())?;
        let matter = Matter::Errand(Box::new(errand), Vec::new());
        let Reach { web, keeper, spool, .. } = reach;
        let spools = Spools::new(spool, tree.limits().bytes);
        Ok(Self { wasi, spools, filled: Some(tree), web, keeper, ..Self::new(limits, voice, None, output, matter) })
    }

    /// The tree that was to be filled, and how much there is in the one that was taken in its place.
    pub(crate) fn take_tree(&mut self) -> (Option<TreeWriter>, Option<Summary>) {
        let reused = match self.reuse {
            Reuse::Taken(summary) => Some(summary),
            Reuse::NotAsked | Reuse::NothingKept => None,
        };
        (self.filled.take(), reused)
    }

    /// What was found out after the tree was asked for, so that it belongs to the tree.
    pub(crate) fn found_later(&self, facts: &[Variable]) -> Vec<Variable> {
        facts.iter().filter(|fact| !self.known.contains(fact)).cloned().collect()
    }

    fn new(limits: &Limits, voice: Voice, questions: Option<Arc<dyn Questions>>, output: &Output, matter: Matter) -> Self {
        let mut handles = ResourceTable::new();
        handles.set_max_capacity(limits.handles);
        Self {
            handles,
            wasi: inert_wasi(output),
            memory: Memory::new(limits.memory),
            clock: Clock::start(),
            voice,
            budget: Budget::new(limits),
            questions,
            scripts: None,
            asked: 0,
            images: Vec::new(),
            tree: None,
            blobs: HashMap::new(),
            spools: Spools::default(),
            filled: None,
            keeper: None,
            reuse: Reuse::NotAsked,
            known: Vec::new(),
            growing: HashMap::new(),
            web: None,
            answers: HashMap::new(),
            lines: HashMap::new(),
            opened: 0,
            card: Card::default(),
            matter,
        }
    }

    fn job_of_call(&self) -> wasmtime::Result<&Job> {
        match &self.matter {
            Matter::Job(job, _) => Ok(job),
            _ => Err(wasmtime::format_err!("this call is about no job")),
        }
    }

    fn draft(&mut self) -> wasmtime::Result<(&mut Draft, &mut Budget, &mut ResourceTable)> {
        match &mut self.matter {
            Matter::Job(_, draft) => Ok((draft, &mut self.budget, &mut self.handles)),
            _ => Err(wasmtime::format_err!("this call is about no plan")),
        }
    }

    fn subject_of_call(&self) -> wasmtime::Result<&Subject> {
        match &self.matter {
            Matter::Subject(subject, _) => Ok(subject),
            _ => Err(wasmtime::format_err!("this call is about no subject")),
        }
    }
}

/// No files, no sockets, no environment, no arguments; input at its end, output kept for a person to read.
fn inert_wasi(output: &Output) -> WasiCtx {
    inert(output).build()
}

/// The same with one directory to be read, which was opened for this and bears no other name here.
fn wasi_with(output: &Output, input: Option<&Dir>) -> wasmtime::Result<WasiCtx> {
    let mut builder = inert(output);
    if let Some(input) = input {
        let path = format!("/proc/self/fd/{}", input.as_raw_fd());
        builder.preopened_dir(path, "/input", FsPerms::ReadOnly)?;
    }
    Ok(builder.build())
}

fn inert(output: &Output) -> WasiCtxBuilder {
    let mut builder = WasiCtx::builder();
    builder.allow_blocking_current_thread(true);
    builder.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
    builder.max_random_size(64 << 10);
    builder.stdout(output.clone()).stderr(output.clone());
    builder
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.handles }
    }
}

impl wit::types::Host for State {}

/// Offers everything that a plugin may import.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wit::types::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    wit::log::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    wit::images::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    wit::trees::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    wit::blobs::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    wit::http::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    wit::repositories::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    wit::plans::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    wit::requests::add_to_linker::<_, HasSelf<State>>(linker, |state| state)
}

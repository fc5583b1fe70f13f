//! A loaded plugin, and the things it can be asked. Every call has a store of its own: a trap poisons a store, and limits are
//! per store.

use std::{future::Future, sync::Arc};

use sti_bindings::{handles, host::sti::host::types::Problem};
use sti_core::{
    Finding, Plan,
    plan::{Author, Purpose},
    tree::TreeWriter,
};
use tokio::sync::OnceCell;
use wasmtime::{
    Store,
    component::{ComponentNamedList, Instance, InstancePre, Lift, Lower, Resource},
};

use crate::{
    Card, Errand, Error, Fetched, Invalid, Job, Kind, Limits, Powers, Reach, Subject,
    calls::{self, within},
    hygiene,
    output::Output,
    powers::{Draft, Matter, State, problem_from_wit},
    sandbox::House,
};

/// The version of `sti:plugin` that is called; a plugin built for any 0.1 answers to it.
const CONTRACT: &str = "0.1.0";

/// A plugin that passed preflight and has introduced itself. Cheap to clone.
#[derive(Clone)]
pub struct Plugin {
    house: Arc<House>,
    card: Arc<Card>,
    digest: Arc<str>,
    bytes: Arc<[u8]>,
    code: Arc<OnceCell<InstancePre<State>>>,
    limits: Limits,
}

impl Plugin {
    pub(crate) fn new(house: Arc<House>, card: Card, digest: String, bytes: &[u8]) -> Self {
        let limits = house.limits.clone();
        Self { house, card: Arc::new(card), digest: digest.into(), bytes: bytes.into(), code: Arc::default(), limits }
    }

    /// What it says of itself.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// `sha256:…` of the component.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Within which limits it is called.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The same plugin within other limits.
    #[must_use]
    pub fn limited(&self, limits: &Limits) -> Self {
        Self { limits: limits.clone(), ..self.clone() }
    }

    /// Has a strategy write the plan for a job that shall make products.
    pub async fn decide(&self, job: Job, powers: Powers) -> Result<Plan, Error> {
        self.decide_for(job, powers, Purpose::Products).await
    }

    /// Has a strategy write the plan for a job. Without the product `app` it is one for [`Purpose::Explanation`] only.
    pub async fn decide_for(&self, job: Job, powers: Powers, purpose: Purpose) -> Result<Plan, Error> {
        self.code().await?;
        let author = Author { plugin: self.card.name.clone(), digest: self.digest.to_string() };
        let (output, draft) = (Output::default(), Draft::new(author, job.network));
        let state = State::job(&self.limits, &self.card.name, powers, &output, job, draft);
        let state = self
            .ask(state, &output, Kind::Strategy, "decide", |state| {
                let (job, plan) = (state.handles.push(handles::Job)?, state.handles.push(handles::Plan)?);
                Ok((Resource::<handles::Job>::new_borrow(job.rep()), Resource::<handles::Plan>::new_borrow(plan.rep())))
            })
            .await?;
        match state.matter {
            Matter::Job(_, draft) => draft.finish(purpose).map_err(|problem| self.problem(problem)),
            _ => unreachable!("a call keeps what it is about"),
        }
    }

    /// Has a validator judge a subject.
    pub async fn validate(&self, subject: Subject, powers: Powers) -> Result<Vec<Finding>, Error> {
        self.code().await?;
        let output = Output::default();
        let state = State::subject(&self.limits, &self.card.name, powers, &output, subject);
        let state = self
            .ask(state, &output, Kind::Validator, "validate", |state| {
                let (subject, findings) = (state.handles.push(handles::Subject)?, state.handles.push(handles::Findings)?);
                Ok((
                    Resource::<handles::Subject>::new_borrow(subject.rep()),
                    Resource::<handles::Findings>::new_borrow(findings.rep()),
                ))
            })
            .await?;
        match state.matter {
            Matter::Subject(_, findings) => Ok(findings),
            _ => unreachable!("a call keeps what it is about"),
        }
    }

    /// Has a fetcher fill a tree. After an error, what was written is to be thrown away.
    pub async fn fetch(&self, errand: Errand, tree: TreeWriter, reach: Reach) -> Result<Fetched, Error> {
        self.code().await?;
        let output = Output::default();
        let state = State::errand(&self.limits, &self.card.name, reach, &output, errand, tree);
        let state = state.map_err(|error| self.failed(&error, &output))?;
        let mut state = self
            .ask(state, &output, Kind::Fetcher, "fetch", |state| {
                let (address, tree) = (state.handles.push(handles::Address)?, state.handles.push(handles::TreeWriter)?);
                let tree = Resource::<handles::TreeWriter>::new_borrow(tree.rep());
                Ok((Resource::<handles::Address>::new_borrow(address.rep()), tree))
            })
            .await?;
        let (tree, reused) = state.take_tree();
        let tree = tree.unwrap_or_else(|| unreachable!("a call keeps the tree that it fills"));
        let dropped = tree.dropped_bits().cloned();
        let summary = reused.map_or_else(|| tree.finish(), Ok).map_err(|problem| self.problem(problem))?;
        let facts = match &mut state.matter {
            Matter::Errand(_, facts) => std::mem::take(facts),
            _ => unreachable!("a call keeps what it is about"),
        };
        Ok(Fetched { of_tree: state.found_later(&facts), facts, summary, is_reused: reused.is_some(), dropped })
    }

    /// Has the plugin introduce itself, once for each kind that it is.
    pub(crate) async fn introduced(self) -> Result<Self, Error> {
        let mut card = Card { name: String::new(), ..Card::clone(&self.card) };
        for kind in card.kinds.clone() {
            card = self.describe(kind, card).await?;
        }
        check(&card).map_err(|why| self.invalid(Invalid::Introduction { why }))?;
        Ok(Self { card: Arc::new(card), ..self })
    }

    async fn describe(&self, kind: Kind, card: Card) -> Result<Card, Error> {
        self.code().await?;
        let output = Output::default();
        let mut store = self.store(State::introduction(&self.limits, &self.card.name, &output, card));
        let introduction = async {
            let instance = self.instance(&mut store).await?;
            let handle = store.data_mut().handles.push(handles::Card).map_err(wasmtime::Error::from);
            let handle = handle.map_err(|error| self.failed(&error, &output))?;
            let card = Resource::<handles::Card>::new_borrow(handle.rep());
            self.call::<_, ()>(&mut store, &instance, (kind, "describe"), (card,), &output).await
        };
        self.in_time(introduction).await?;
        Ok(store.into_data().card)
    }

    /// One call of a verb: instantiates, calls, and gives back what was written.
    async fn ask<Arguments>(
        &self,
        state: State,
        output: &Output,
        kind: Kind,
        verb: &'static str,
        hand_over: impl FnOnce(&mut State) -> wasmtime::Result<Arguments>,
    ) -> Result<State, Error>
    where
        Arguments: ComponentNamedList + Lower + Send + Sync,
    {
        if !self.card.kinds.contains(&kind) {
            return Err(
                self.invalid(Invalid::NoKind { exports: self.card.kinds.iter().map(|kind| kind.name().to_owned()).collect() })
            );
        }
        let clock = state.clock.clone();
        let mut store = self.store(state);
        let answer = async {
            let instance = self.instance(&mut store).await?;
            let arguments = hand_over(store.data_mut()).map_err(|error| self.failed(&error, output))?;
            self.call::<_, (Result<(), Problem>,)>(&mut store, &instance, (kind, verb), arguments, output).await
        };
        let _ticking = self.house.ticker.start();
        let limit = if kind == Kind::Fetcher { self.limits.fetch } else { self.limits.answer };
        let (answer,) = within(limit, &clock, answer).await.map_err(|late| late.into_error(&self.card.name))??;
        answer.map_err(|problem| self.problem(problem_from_wit(&problem)))?;
        Ok(store.into_data())
    }

    async fn call<Arguments, Answer>(
        &self,
        store: &mut Store<State>,
        instance: &Instance,
        (kind, verb): (Kind, &str),
        arguments: Arguments,
        output: &Output,
    ) -> Result<Answer, Error>
    where
        Arguments: ComponentNamedList + Lower + Send + Sync,
        Answer: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let mismatch = |why: String| self.invalid(Invalid::Mismatch { why });
        let interface = format!("sti:plugin/{}@{CONTRACT}", kind.name());
        let place = instance.get_export_index(&mut *store, None, &interface);
        let place = place.and_then(|interface| instance.get_export_index(&mut *store, Some(&interface), verb));
        let place = place.ok_or_else(|| mismatch(format!("there is no `{verb}` in `{interface}`")))?;
        let function = instance.get_typed_func::<Arguments, Answer>(&mut *store, place);
        let function = function.map_err(|error| mismatch(hygiene::line(&format!("{error:#}"), 400)))?;
        function.call_async(&mut *store, arguments).await.map_err(|error| self.failed(&error, output))
    }

    async fn instance(&self, store: &mut Store<State>) -> Result<Instance, Error> {
        self.code().await?.instantiate_async(store).await.map_err(|error| self.failed(&error, &Output::default()))
    }

    /// The code, loaded with the first call. Asked before the clock of a call starts, because compiling is no fault of the plugin.
    async fn code(&self) -> Result<&InstancePre<State>, Error> {
        self.code.get_or_try_init(|| self.load_code()).await
    }

    /// Loads or compiles the code beside the executor, which compiling would hold up for long.
    async fn load_code(&self) -> Result<InstancePre<State>, Error> {
        let this = self.clone();
        let loaded = tokio::task::spawn_blocking(move || {
            let code = this.house.code(&this.digest, &this.bytes)?;
            this.house.linker()?.instantiate_pre(&code)
        });
        let loaded = loaded.await.unwrap_or_else(|ended| Err(wasmtime::format_err!("loading was ended: {ended}")));
        loaded.map_err(|error| self.invalid(Invalid::Mismatch { why: hygiene::line(&format!("{error:#}"), 400) }))
    }

    fn store(&self, state: State) -> Store<State> {
        let mut store = Store::new(&self.house.engine, state);
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(self.limits.call_bytes);
        // Yields at each tick, so that a deadline ends it; it never ends by itself.
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        store
    }

    async fn in_time<T>(&self, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let _ticking = self.house.ticker.start();
        let answer = within(self.limits.introduction, &calls::Clock::start(), answer).await;
        answer.map_err(|late| late.of_introduction().into_error(&self.card.name))?
    }

    fn failed(&self, error: &wasmtime::Error, output: &Output) -> Error {
        calls::failure(&self.card.name, error, output, &self.limits)
    }

    fn invalid(&self, why: Invalid) -> Error {
        Error::Invalid { plugin: self.card.name.clone(), why }
    }

    fn problem(&self, problem: sti_core::Problem) -> Error {
        Error::Problem { plugin: self.card.name.clone(), problem }
    }
}

/// Names are typed by users and matched by policy: they are held to one form.
fn check(card: &Card) -> Result<(), String> {
    if card.name.is_empty() {
        return Err("it says no name".to_owned());
    }
    let names = std::iter::once(&card.name).chain(&card.aliases).chain(card.settings.iter().map(|setting| &setting.name));
    match names.into_iter().find(|name| !hygiene::is_kebab(name)) {
        Some(name) => Err(format!("`{name}` is no name in kebab-case")),
        None => Ok(()),
    }
}

//! A build's images: each name is resolved once, and what a plugin asks is judged before the engine is asked.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use sti_core::{
    Identity, ImageFacts, ImageId, PathFact, Problem, ProblemKind, Progress, Pull, Reference, plan::Network, progress::Level,
};
use sti_engine::{Engine, Questions};
use sti_policy::Grant;
use sti_sandbox::{Plugin, Powers};

use super::{error::StiError, request::BuildRequest};
use crate::{
    Host,
    plugins::{Chosen, limited},
};

/// Where an image lists its users.
const USERS: &str = "/etc/passwd";
/// Lists of users of a whole company fit.
const LONGEST_LIST: u64 = 4 << 20;

/// The images that a build may look at.
pub(crate) struct Images {
    engine: Arc<dyn Engine>,
    grant: Grant,
    pull: Pull,
    /// Builder and runtime image: what may be pulled.
    pulled: Vec<Reference>,
    /// What earlier products of the same names are called.
    products: Vec<Reference>,
    progress: Arc<dyn Progress>,
    seen: Mutex<HashMap<String, Option<ImageFacts>>>,
    refusal: Mutex<Option<StiError>>,
}

impl Images {
    pub(crate) fn of(request: &BuildRequest, host: &Host, strategy: &Chosen, progress: Arc<dyn Progress>) -> Self {
        let named = request.named();
        let grant = host.policy.grant(strategy.identity(), &named);
        progress.say(Level::Debug, format!("`{}` is granted {grant}", strategy.identity().name));
        let products = std::iter::once(named.tag.clone()).chain(named.tag.sibling("build")).collect();
        Self { products, ..Self::granted(host, grant, request.pull, named.images, progress) }
    }

    pub(crate) fn granted(host: &Host, grant: Grant, pull: Pull, pulled: Vec<Reference>, progress: Arc<dyn Progress>) -> Self {
        let engine = Arc::clone(&host.engine);
        Self { engine, grant, pull, pulled, products: Vec::new(), progress, seen: Mutex::default(), refusal: Mutex::default() }
    }

    /// Finds builder and runtime image side by side, pulling as asked.
    pub(crate) async fn find_named(&self, request: &BuildRequest) -> Result<(), StiError> {
        let builder = self.existing(&request.builder_image, |image, pull| StiError::NoSuchBuilderImage { image, pull });
        let runtime = async {
            match &request.runtime_image {
                Some(image) => self.existing(image, |image, pull| StiError::NoSuchRuntimeImage { image, pull }).await.map(drop),
                None => Ok(()),
            }
        };
        let (builder, runtime) = futures_util::join!(builder, runtime);
        // One of them ends the build: the other is said, too.
        if let (Err(_), Err(error)) = (&builder, &runtime) {
            self.progress.say(Level::Warning, error.to_string());
        }
        builder?;
        runtime
    }

    /// An image that has to be there.
    pub(crate) async fn existing(
        &self,
        image: &Reference,
        missing: impl FnOnce(Reference, Pull) -> StiError,
    ) -> Result<ImageFacts, StiError> {
        self.grant.may_look_at(image)?;
        self.facts(image, true).await?.ok_or_else(|| missing(image.clone(), self.pull))
    }

    /// What the engine holds under a name, as this build first saw it.
    pub(crate) async fn held(&self, image: &Reference) -> Result<Option<ImageFacts>, StiError> {
        self.facts(image, false).await
    }

    pub(crate) fn powers(self: &Arc<Self>, progress: Arc<dyn Progress>) -> Powers {
        Powers { questions: Arc::clone(self) as Arc<dyn Questions>, scripts: None, progress }
    }

    /// The first question of a plugin that policy or the engine refused, in the words of whoever refused it: the plugin
    /// may have told something else since.
    pub(crate) fn recorded_refusal(&self) -> Option<StiError> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The plugin within the limits that policy grants it.
    pub(crate) fn limited(&self, plugin: &Plugin) -> Plugin {
        limited(plugin, self.grant.limits())
    }

    /// What the strategy may use.
    pub(crate) fn grant(&self) -> &Grant {
        &self.grant
    }

    /// The list of users of an image that was seen; empty where it has none.
    pub(crate) async fn users_of(&self, image: &ImageId) -> Result<String, StiError> {
        let seen: Vec<ImageFacts> = {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.values().flatten().cloned().collect()
        };
        let Some(facts) = seen.into_iter().find(|facts| facts.id == *image) else { return Ok(String::new()) };
        let list = self.engine.read(&facts, USERS, LONGEST_LIST).await?;
        Ok(String::from_utf8_lossy(&list.unwrap_or_default()).into_owned())
    }

    /// What containers of the build may reach.
    pub(crate) fn network(&self) -> Network {
        self.grant.network()
    }

    async fn facts(&self, image: &Reference, may_pull: bool) -> Result<Option<ImageFacts>, StiError> {
        let key = image.canonical();
        if let Some(seen) = self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(seen.clone());
        }
        let is_named = self.pulled.iter().any(|named| named.canonical() == key);
        let pull = if may_pull && is_named { self.pull } else { Pull::Never };
        let found = self.engine.inspect(image, pull, self.progress.as_ref()).await?;
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(key, found.clone());
        Ok(found)
    }

    fn is_product(&self, reference: &Reference) -> bool {
        self.products.iter().any(|product| product.canonical() == reference.canonical())
    }

    fn refused(&self, kind: ProblemKind, error: impl Into<StiError>) -> Problem {
        let error = error.into();
        let problem = Problem::new(kind, error.condition().name, error.to_string());
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        problem
    }

    fn answered<T>(&self, answer: Result<T, impl Into<StiError>>) -> Result<T, Problem> {
        answer.map_err(|error| self.refused(ProblemKind::Unavailable, error))
    }
}

#[async_trait]
impl Questions for Images {
    async fn find(&self, reference: &str, may_pull: bool) -> Result<Option<ImageFacts>, Problem> {
        let malformed =
            |error: sti_core::reference::Malformed| Problem::new(ProblemKind::Invalid, "invalid-reference", error.to_string());
        let reference = Reference::parse(reference).map_err(malformed)?;
        if let Err(denial) = self.grant.may_look_at(&reference) {
            // An earlier product that policy does not grant is as good as none: the build is a clean one.
            if !may_pull && self.is_product(&reference) {
                self.progress.say(Level::Info, format!("{denial}; it is not looked at"));
                return Ok(None);
            }
            return Err(self.refused(ProblemKind::Denied, denial));
        }
        self.answered(self.facts(&reference, may_pull).await)
    }

    async fn look_at(&self, image: &ImageFacts, paths: &[String]) -> Result<Vec<PathFact>, Problem> {
        self.answered(self.engine.look_at(image, paths).await)
    }

    async fn read(&self, image: &ImageFacts, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Problem> {
        self.answered(self.engine.read(image, path, limit).await)
    }

    async fn identity(&self, image: &ImageFacts) -> Result<Identity, Problem> {
        self.answered(self.engine.identity(image).await)
    }
}

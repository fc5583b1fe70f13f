//! Where builds run: which plugins there are, what policy allows, which engine runs containers.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use sti_core::{BuildId, Progress, progress::Level};
use sti_engine::Engine;
use sti_policy::Policy;

use crate::{BuildLock, Lives, Plugins, StiError, cli};

/// All that a build needs beside its request. The engine serves one build: a host is made for each.
pub struct Host {
    /// Who can decide.
    pub plugins: Plugins,
    /// What is allowed.
    pub policy: Policy,
    /// What runs containers.
    pub engine: Arc<dyn Engine>,
    /// Which builds of this user are alive; without it nothing of a killed build is ever found.
    pub lives: Option<Lives>,
    /// Set as soon as products get their names: from here on a build is finished, not abandoned.
    pub(crate) delivering: AtomicBool,
}

impl Host {
    /// The host that `sti` uses when no flag says otherwise.
    ///
    /// # Errors
    /// Where no engine answers, or the policy file or the user's cache cannot be trusted.
    pub async fn local() -> Result<Self, StiError> {
        cli::local_host(&BuildId::draw()).await
    }

    /// Joins the parts of a host. `lives` may be left out where builds are never killed, or somebody else sweeps.
    pub fn new(plugins: Plugins, policy: Policy, engine: Arc<dyn Engine>, lives: Option<Lives>) -> Self {
        Self { plugins, policy, engine, lives, delivering: AtomicBool::new(false) }
    }

    /// Whether the products of the build are being named, or are named already. Whoever drops the build's future now leaves some
    /// products new and others old: wait for its end instead.
    pub fn is_delivering(&self) -> bool {
        self.delivering.load(Ordering::SeqCst)
    }

    /// Removes everything that a build made whose future was dropped before its end.
    ///
    /// # Errors
    /// Where the engine does not answer; the next build or `sti gc` removes the rest.
    pub async fn abandon(&self) -> Result<(), StiError> {
        self.engine.clean_up().await?;
        let Some(lives) = &self.lives else { return Ok(()) };
        let ours =
            lives.dead(&self.engine.endpoint()).unwrap_or_default().into_iter().filter(|dead| dead.build == *self.engine.build());
        for dead in ours {
            let _gone = dead.bury();
        }
        Ok(())
    }

    /// Marks the build as living, and removes what dead builds left in this engine.
    pub(crate) async fn begin(&self, progress: &dyn Progress) -> Result<Option<BuildLock>, StiError> {
        let Some(lives) = &self.lives else { return Ok(None) };
        let endpoint = self.engine.endpoint();
        let lock = lives.begin(self.engine.build(), &endpoint);
        let lock = lock.map_err(|error| StiError::Ours(format!("cannot lock the build: {error}")))?;
        self.sweep_dead(lives, &endpoint, progress).await;
        Ok(Some(lock))
    }

    /// Removes what the build made, and unless something is left takes its mark away.
    pub(crate) async fn end(&self, lock: Option<BuildLock>, progress: &dyn Progress) {
        match self.engine.clean_up().await {
            Ok(()) => drop(lock.map(BuildLock::end)),
            Err(error) => progress.say(Level::Warning, format!("the next build or `sti gc` removes what is left: {error}")),
        }
    }

    /// What cannot be swept now is left for the next build.
    async fn sweep_dead(&self, lives: &Lives, endpoint: &str, progress: &dyn Progress) {
        for dead in lives.dead(endpoint).unwrap_or_default() {
            match self.engine.sweep(&dead.build).await {
                Ok(things) => {
                    if things > 0 {
                        progress.say(Level::Info, format!("removed {things} things that the dead build {} left", dead.build));
                    }
                    let _gone = dead.bury();
                }
                Err(error) => progress.say(Level::Warning, format!("could not sweep the dead build {}: {error}", dead.build)),
            }
        }
    }
}

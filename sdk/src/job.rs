//! A build to be planned, as a strategy is asked for it.

use crate::{Incremental, Network, Problem, Setting, Tree, Variable, card::default_of, host::requests};

/// A build to be planned. Given to [`Strategy::decide`](crate::Strategy::decide).
///
/// ```
/// use sti_plugin::{Job, Problem};
///
/// fn port(job: &Job) -> Result<u16, Problem> {
///     job.setting("port").map_or(Ok(8080), |port| Ok(port.parse()?))
/// }
/// # use sti_plugin::testing::JobBuilder;
/// let job = JobBuilder::new("builder", "app:1").setting("port", "80");
/// assert_eq!(job.ask(port), Ok(80));
/// ```
pub struct Job<'a> {
    job: &'a requests::Job,
    settings: Vec<Setting>,
}

impl<'a> Job<'a> {
    /// Joins the handle with the settings of the plugin's card, whose defaults a host does not fill in.
    pub(crate) fn new(job: &'a requests::Job, settings: Vec<Setting>) -> Self {
        Self { job, settings }
    }

    /// Tells the name under which the strategy was called; a plugin may answer to several.
    pub fn strategy(&self) -> String {
        self.job.strategy()
    }

    /// Gives the source to look at. To use it in a plan, take [`Plan::source`](crate::Plan::source).
    pub fn source(&self) -> Tree {
        Tree::new(self.job.source())
    }

    /// Tells what is known of where the source came from: `address`, `revision`, `reference`, ….
    pub fn source_fact(&self, name: &str) -> Option<String> {
        self.job.source_fact(name)
    }

    /// Names the builder image.
    pub fn builder_image(&self) -> String {
        self.job.builder_image()
    }

    /// Names the runtime image, in an extended build only.
    pub fn runtime_image(&self) -> Option<String> {
        self.job.runtime_image()
    }

    /// Tells the name that the user gives the product `app`.
    pub fn tag(&self) -> String {
        self.job.tag()
    }

    /// Tells whether the user asked for a clean build.
    pub fn is_clean(&self) -> bool {
        self.job.clean()
    }

    /// Tells what containers of this build may reach; steps that do not say otherwise get exactly this.
    pub fn network(&self) -> Network {
        self.job.network()
    }

    /// Tells the name that an earlier product of this name would have; none where the user asked for a clean build.
    pub fn previous_image(&self, product: &str) -> Option<String> {
        self.job.previous_image(product)
    }

    /// Tells whether the user wants what an earlier product saved.
    pub fn incremental(&self) -> Incremental {
        self.job.incremental()
    }

    /// Tells where the user says that scripts of the contract `assemble` are, such as `image:///usr/libexec/s2i`.
    pub fn scripts_url(&self) -> Option<String> {
        self.job.scripts_url()
    }

    /// Reads the script of this name at the address that the user gives, where that is outside of the image; `None` where there is none.
    pub fn script(&self, name: &str) -> Result<Option<Vec<u8>>, Problem> {
        Ok(self.job.script(name)?)
    }

    /// Tells below which directory the user wants source, scripts and artifacts to arrive.
    pub fn destination(&self) -> Option<String> {
        self.job.destination()
    }

    /// Tells who the user wants the script to run as that builds.
    pub fn assemble_user(&self) -> Option<String> {
        self.job.assemble_user()
    }

    /// Tells who the user wants the script to run as that puts the product of an extended build together.
    pub fn assemble_runtime_user(&self) -> Option<String> {
        self.job.assemble_runtime_user()
    }

    /// Lists what the user wants an extended build to deploy, as written: `PATH[:DIRECTORY]`, and `;` between several.
    pub fn runtime_artifacts(&self) -> Vec<String> {
        self.job.runtime_artifacts()
    }

    /// Tells whether ONBUILD instructions of images may be carried out.
    pub fn allows_triggers(&self) -> bool {
        self.job.allows_triggers()
    }

    /// Tells the contract that the user forced, `prepare` or `assemble`.
    pub fn contract(&self) -> Option<String> {
        self.job.contract()
    }

    /// Lists the user's variables, for the scripts and for the product.
    pub fn environment(&self) -> Vec<Variable> {
        Variable::list(self.job.environment())
    }

    /// Lists the user's variables that are for the scripts only: no image of the plan may keep one.
    pub fn build_environment(&self) -> Vec<Variable> {
        Variable::list(self.job.build_environment())
    }

    /// Names the user's secrets, for [`Plan::secret`](crate::Plan::secret). Scripts look for each at `/run/secrets/NAME`.
    pub fn secrets(&self) -> Vec<String> {
        self.job.secrets()
    }

    /// Lists the secrets that are directories: each by its name, with the place where the user wants it to be mounted.
    pub fn injected(&self) -> Vec<Variable> {
        Variable::list(self.job.injected())
    }

    /// Tells a setting that the card declares: what the user set, or its default.
    pub fn setting(&self, name: &str) -> Option<String> {
        self.job.setting(name).or_else(|| default_of(&self.settings, name))
    }

    /// Tells the platform to build for, such as `linux/amd64`.
    pub fn platform(&self) -> String {
        self.job.platform()
    }
}

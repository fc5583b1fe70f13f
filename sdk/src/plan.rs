//! The plan that a strategy writes. Writing does nothing: policy judges every step, and only then does an engine act.

mod assembly;
mod build;
mod made;
mod run;

use crate::{Image, Problem, host::plans};

pub use assembly::Assembly;
pub use build::Build;
pub use made::Made;
pub use run::Run;

/// A plan to be written: steps that use each other's results. Those that do not may run side by side.
///
/// ```
/// use sti_plugin::{Job, Plan, Problem, Scratch, testing::JobBuilder};
///
/// fn decide(_job: &Job, plan: &Plan) -> Result<(), Problem> {
///     let app = plan.assemble("pack", Scratch)?.layer("source", &plan.source(), "/srv")?.finish();
///     app.command(["/srv/server"]);
///     plan.product("app", &app)
/// }
///
/// let decision = JobBuilder::new("builder", "app:1").decide_with(decide);
/// assert_eq!(decision.plan.products[0].name, "app");
/// ```
pub struct Plan<'a>(&'a plans::Plan);

impl<'a> Plan<'a> {
    pub(crate) fn new(plan: &'a plans::Plan) -> Self {
        Self(plan)
    }

    /// Stands for the source.
    pub fn source(&self) -> Content {
        Content(self.0.source())
    }

    /// Stands for an empty directory.
    pub fn empty(&self) -> Content {
        Content(self.0.empty())
    }

    /// Stands for files that the plugin writes itself, at most 3 MiB in one call: relative path, permission bits, bytes.
    pub fn files<P, B>(&self, files: impl IntoIterator<Item = (P, u32, B)>) -> Result<Content, Problem>
    where
        P: Into<String>,
        B: Into<Vec<u8>>,
    {
        let file = |(path, mode, bytes): (P, u32, B)| plans::File { path: path.into(), mode, bytes: bytes.into() };
        let files: Vec<plans::File> = files.into_iter().map(file).collect();
        Ok(Content(self.0.files(&files)?))
    }

    /// Stands for a directory that is kept from build to build, private to this plugin and project. Granted by name.
    pub fn cache(&self, name: &str) -> Result<Content, Problem> {
        Ok(Content(self.0.cache(name)?))
    }

    /// Stands for a secret that the user named on the command line; a plugin never sees its bytes. It can only be mounted.
    pub fn secret(&self, name: &str) -> Result<Content, Problem> {
        Ok(Content(self.0.secret(name)?))
    }

    /// Adds a step that runs one container. The title is what the user reads while it runs.
    pub fn run<'b>(&self, title: &str, on: impl Into<Base<'b>>) -> Result<Run, Problem> {
        Ok(Run(self.0.run(title, &on.into().handle())?))
    }

    /// Adds a step that builds with instructions, one layer each, with the engine's own builder and its cache where it has one.
    pub fn build<'b>(&self, title: &str, on: impl Into<Base<'b>>) -> Result<Build, Problem> {
        Ok(Build(self.0.build(title, &on.into().handle())?))
    }

    /// Adds a step that makes an image out of layers of content, without running anything.
    pub fn assemble<'b>(&self, title: &str, on: impl Into<Base<'b>>) -> Result<Assembly, Problem> {
        Ok(Assembly(self.0.assemble(title, &on.into().handle())?))
    }

    /// Declares a result: `app` gets the user's tag, any other name the tag with `-NAME` behind it. All are tagged, or none.
    pub fn product(&self, name: &str, image: &Made) -> Result<(), Problem> {
        Ok(self.0.product(name, &image.0)?)
    }
}

/// Files that a step can be given. Holding one is not seeing it: the bytes stay with the host or the engine.
///
/// ```
/// use sti_plugin::{Plan, Problem, Content};
///
/// fn pages(plan: &Plan) -> Result<Content, Problem> {
///     plan.source().part("pages")
/// }
/// # sti_plugin::testing::JobBuilder::new("builder", "app").decide_with(|_, plan| pages(plan).map(|_| ())).result.unwrap();
/// ```
pub struct Content(plans::Content);

impl Content {
    /// Stands for a part of it: a directory or a file below.
    pub fn part(&self, path: &str) -> Result<Self, Problem> {
        Ok(Self(self.0.part(path)?))
    }

    /// Stands for those entries of a directory that a step leaves whose names match a glob (`*`, `?`, `[a-z]`, `{a,b}`). Only ever
    /// copied, into a directory that may be there already. Where nothing matches, the build fails.
    ///
    /// ```
    /// use sti_plugin::{Content, Problem, Run};
    ///
    /// fn archives(building: &Run) -> Result<Content, Problem> {
    ///     building.capture("/app/target")?.matching("*.{jar,war}")
    /// }
    /// ```
    pub fn matching(&self, glob: &str) -> Result<Self, Problem> {
        Ok(Self(self.0.matching(glob)?))
    }
}

/// What a step starts from: an image, what an earlier step makes, or nothing at all. All three turn into it by themselves.
///
/// ```
/// use sti_plugin::{Base, Scratch};
///
/// assert!(matches!(Base::from(Scratch), Base::Scratch));
/// ```
pub enum Base<'a> {
    /// An image that was found.
    Image(&'a Image),
    /// What an earlier step of this plan makes.
    Made(&'a Made),
    /// An empty filesystem.
    Scratch,
}

/// An empty filesystem, as what a step starts from.
///
/// ```
/// # use sti_plugin::{Made, Plan, Problem};
/// use sti_plugin::Scratch;
///
/// fn nothing_but_source(plan: &Plan) -> Result<Made, Problem> {
///     Ok(plan.assemble("pack", Scratch)?.layer("source", &plan.source(), "/")?.finish())
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scratch;

impl<'a> From<&'a Image> for Base<'a> {
    fn from(image: &'a Image) -> Self {
        Self::Image(image)
    }
}

impl<'a> From<&'a Made> for Base<'a> {
    fn from(made: &'a Made) -> Self {
        Self::Made(made)
    }
}

impl From<Scratch> for Base<'_> {
    fn from(Scratch: Scratch) -> Self {
        Self::Scratch
    }
}

impl<'a> Base<'a> {
    fn handle(self) -> plans::Base<'a> {
        match self {
            Self::Image(image) => plans::Base::Image(&image.0),
            Self::Made(made) => plans::Base::Made(&made.0),
            Self::Scratch => plans::Base::Scratch,
        }
    }
}

fn words<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Vec<String> {
    words.into_iter().map(Into::into).collect()
}

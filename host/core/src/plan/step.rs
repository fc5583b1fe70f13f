//! Steps: what is done, in which image, with which content.

use serde::{Deserialize, Serialize};

use super::ContentId;
use crate::{ImageId, Reference, Variable};

/// The number of a step within its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StepId(pub u32);

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What the user reads while it is carried out.
    pub title: String,
    /// What it starts from.
    pub base: Base,
    /// What is done.
    pub action: Action,
}

/// What a step starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "from")]
pub enum Base {
    /// An image of the engine.
    Image {
        /// As it was asked for.
        reference: Reference,
        /// What that meant when it was asked; this is what is used.
        id: ImageId,
        /// The user of its configuration; `""` means root. Written by the host, not by the strategy.
        user: String,
    },
    /// The image that an earlier step makes.
    Step {
        /// Which.
        step: StepId,
    },
    /// An empty filesystem.
    Scratch,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Action {
    /// Runs one container.
    Run(Run),
    /// Carries out instructions with a layer each.
    Build(Build),
    /// Makes an image of layers without running anything.
    Assemble(Assemble),
}

/// Which networks a container reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// None at all.
    None,
    /// Outgoing connections, as a container of the engine has by default.
    Outgoing,
}

/// Whether a path of a container is a directory's own, or leads below it as it is written.
pub fn is_at_or_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// One container, from its creation to its end. Fails unless its command exits with 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Program and arguments, run directly: past the image's entrypoint and through no shell.
    pub command: Vec<String>,
    /// Added to the image's environment.
    pub environment: Vec<Variable>,
    /// The image's own user where absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<String>,
    /// The image's own where absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub working_directory: Option<String>,
    /// What it reaches.
    pub network: Network,
    /// Directories of which nothing is committed: at first as the image has them, and the command may do with all in them what it
    /// likes. What is mounted below one lies in it as files do, so that it can be moved and removed, which no mount can.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub transient: Vec<String>,
    /// What it is given.
    pub places: Vec<Place>,
    /// A file that the command may leave: labels for the image that is made.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub labels_from: Option<String>,
    /// What follows where the command fails.
    #[serde(skip_serializing_if = "OnFailure::ends_the_build", default)]
    pub on_failure: OnFailure,
    /// Where present, its filesystem at the end becomes an image with these changes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<ImageChanges>,
}

/// What follows where the command of a run step fails, or prints something else than the tar that it should.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// The build fails.
    #[default]
    EndBuild,
    /// The user is warned, and the build goes on without what the step should have left: where that should be put, nothing is.
    GoOn,
}

impl OnFailure {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks in this form")]
    fn ends_the_build(&self) -> bool {
        *self == Self::EndBuild
    }
}

/// Content at a path of a container, owned by the container's user and writable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// What.
    pub content: ContentId,
    /// Absolute, normalised.
    pub at: String,
    /// How.
    pub placement: Placement,
}

/// Whether content stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// There while the step runs, and no part of what is committed.
    Mounted,
    /// Copied in first, and part of what is committed.
    Copied,
}

/// What an image says of itself beyond its base; what is absent stays as the base has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageChanges {
    /// Replaces the entrypoint.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub entrypoint: Option<Vec<String>>,
    /// Replaces the command.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub command: Option<Vec<String>>,
    /// Added to the environment.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub environment: Vec<Variable>,
    /// Added to the labels.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub labels: Vec<Variable>,
    /// Replaces the user.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<String>,
    /// Replaces the working directory.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub working_directory: Option<String>,
    /// Added to the exposed ports, such as `8080/tcp`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub expose: Vec<String>,
}

/// Instructions, carried out in order, and what the image says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Where present, the ONBUILD instructions of the base come before all else.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub triggers: Option<Triggers>,
    /// In order.
    pub instructions: Vec<Instruction>,
    /// What the commands reach.
    pub network: Network,
    /// Applied after the last instruction.
    pub changes: ImageChanges,
}

/// The ONBUILD instructions of an image, to be carried out as the engine's own builder does it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Triggers {
    /// What lies at the top of their build context.
    pub context: ContentId,
    /// As the image has them. Written by the host, not by the strategy.
    pub instructions: Vec<String>,
}

/// One instruction of a [`Build`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "instruction")]
pub enum Instruction {
    /// Copies content into the image.
    Copy(Copied),
    /// Runs a command, through no shell.
    Run {
        /// Program and arguments.
        command: Vec<String>,
    },
    /// Sets a variable for what follows and for the image.
    Environment(Variable),
    /// Sets the user for what follows and for the image.
    User {
        /// As in an image's configuration.
        user: String,
    },
    /// Sets the working directory for what follows and for the image.
    WorkingDirectory {
        /// Absolute, normalised.
        path: String,
    },
}

/// Content that becomes part of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// What.
    pub content: ContentId,
    /// Absolute, normalised.
    pub at: String,
    /// Who owns it (`user`, `uid`, `user:group`, `uid:gid`); the base's own user where absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub owner: Option<String>,
}

/// Layers made of content, and what the image says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assemble {
    /// In order.
    pub layers: Vec<Layer>,
    /// What the image says of itself.
    pub changes: ImageChanges,
}

/// One layer of an [`Assemble`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// What the user reads.
    pub title: String,
    /// What is in it.
    #[serde(flatten)]
    pub copied: Copied,
}

impl Build {
    /// No instructions so far.
    pub fn new(network: Network) -> Self {
        Self { triggers: None, instructions: Vec::new(), network, changes: ImageChanges::default() }
    }

    /// What its instructions copy, in order.
    pub fn copied(&self) -> impl Iterator<Item = ContentId> {
        self.instructions.iter().filter_map(|instruction| match instruction {
            Instruction::Copy(copied) => Some(copied.content),
            _ => None,
        })
    }

    fn context(&self) -> impl Iterator<Item = ContentId> {
        self.triggers.iter().map(|triggers| triggers.context)
    }
}

impl Triggers {
    /// The users that they set, in order.
    pub fn users(&self) -> impl Iterator<Item = String> {
        self.instructions.iter().filter_map(|instruction| {
            let (word, user) = instruction.trim_start().split_once(char::is_whitespace)?;
            word.eq_ignore_ascii_case("USER").then(|| user.trim().trim_matches('"').to_owned())
        })
    }
}

impl Run {
    /// A command as the image's own user, which is given nothing and leaves nothing.
    pub fn new(command: Vec<String>, network: Network) -> Self {
        Self {
            command,
            environment: Vec::new(),
            user: None,
            working_directory: None,
            network,
            transient: Vec::new(),
            places: Vec::new(),
            labels_from: None,
            on_failure: OnFailure::EndBuild,
            commit: None,
        }
    }

    /// The innermost of the transient directories that a path lies below.
    pub fn transient_above(&self, path: &str) -> Option<&str> {
        let above = self.transient.iter().filter(|directory| *directory != path && is_at_or_below(path, directory));
        above.max_by_key(|directory| directory.len()).map(String::as_str)
    }

    /// Whether a place is a mount of its own.
    pub fn is_mount(&self, place: &Place) -> bool {
        place.placement == Placement::Mounted && self.transient_above(&place.at).is_none()
    }
}

impl Step {
    /// What the image that the step makes says of itself; `None` for a run without a commit.
    pub fn changes(&self) -> Option<&ImageChanges> {
        match &self.action {
            Action::Run(run) => run.commit.as_ref(),
            Action::Build(build) => Some(&build.changes),
            Action::Assemble(assemble) => Some(&assemble.changes),
        }
    }

    /// The same, to be added to.
    pub fn changes_mut(&mut self) -> Option<&mut ImageChanges> {
        match &mut self.action {
            Action::Run(run) => run.commit.as_mut(),
            Action::Build(build) => Some(&mut build.changes),
            Action::Assemble(assemble) => Some(&mut assemble.changes),
        }
    }

    /// The contents that the step is given, in order.
    pub fn contents(&self) -> Vec<ContentId> {
        match &self.action {
            Action::Run(run) => run.places.iter().map(|place| place.content).collect(),
            Action::Build(build) => build.context().chain(build.copied()).collect(),
            Action::Assemble(assemble) => assemble.layers.iter().map(|layer| layer.copied.content).collect(),
        }
    }
}

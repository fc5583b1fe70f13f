//! What the user named on the command line, and who the plugin is that may use it.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;
use sti_core::{Reference, UidRanges, Variable, plan::Network};

/// What the user named on the command line. Without a policy file this is the whole grant; with one, the most that it can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The builder image, and in an extended build the runtime image.
    pub images: Vec<Reference>,
    /// What the product is called. The names of further products are its siblings, such as `app:1-build`.
    pub tag: Reference,
    /// The variables of `--env` and `--env-file`.
    pub environment: Vec<Variable>,
    /// The variables of `--build-env`, which no image may keep.
    pub build_environment: Vec<Variable>,
    /// What `--network` says.
    pub network: Network,
    /// The caches that were named.
    pub caches: Vec<String>,
    /// The secrets that were named.
    pub secrets: Vec<String>,
    /// Users that scripts may run as in an image, beside that image's own.
    pub users: Vec<(Reference, String)>,
    /// Who anything may run as at all, by number; everybody where absent.
    pub uids: Option<UidRanges>,
    /// What is said of ONBUILD instructions.
    pub triggers: Triggers,
}

impl Named {
    /// These images, a name for what is made of them, and nothing else: no network, no variables, nobody but the images' own users.
    pub fn images(images: Vec<Reference>, tag: Reference) -> Self {
        Self {
            images,
            tag,
            environment: Vec::new(),
            build_environment: Vec::new(),
            network: Network::None,
            caches: Vec::new(),
            secrets: Vec::new(),
            users: Vec::new(),
            uids: None,
            triggers: Triggers::Refused,
        }
    }
}

/// Whether ONBUILD instructions of images may be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Triggers {
    /// They may not.
    Refused,
    /// They may, as whoever they name.
    Allowed,
}

/// Which component is meant. Policy knows it by its digest; the name is for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PluginIdentity {
    /// The name on its card, or what stands for it as long as the card was not read.
    pub name: String,
    /// The digest of the component: `sha256:…`.
    pub digest: String,
    /// Where it came from.
    pub origin: Origin,
}

/// Where a component came from. It carries no privilege: shipped plugins live on the same grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// It is part of the program.
    Shipped,
    /// It was read from this file, as the user gave it.
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shipped => formatter.write_str("shipped with sti"),
            Self::File(path) => write!(formatter, "{}", path.display()),
        }
    }
}

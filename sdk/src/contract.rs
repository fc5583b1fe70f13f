//! The two contracts by which an image takes part in a build, as data: scripts, places and labels.
//!
//! Sources: the prepare contract is that of the first source-to-images tool (2014), whose scripts lie in `/usr/bin`; the assemble
//! contract is `OpenShift`'s, <https://github.com/openshift/source-to-image/blob/master/docs/builder_image.md>.
//!
//! ```
//! use sti_plugin::contract::{ASSEMBLE, PREPARE};
//!
//! assert_eq!(PREPARE.build_script(), "/usr/bin/prepare");
//! assert_eq!(PREPARE.source_at(), "/tmp/src");
//! assert_eq!(ASSEMBLE.build, "assemble");
//! ```

mod assemble;
mod brought;
mod environment;
mod followed;
mod found;
mod lent;
mod locations;
mod parts;
mod paths;
mod runtime;
mod scriptless;
mod scripts;
mod triggers;
mod usage;

use crate::Image;

pub use assemble::{AssembleParts, Previous};
pub use environment::environment_of;
pub use followed::{Followed, Follows, follows};
pub use lent::Lent;
pub use locations::scripts_directory;
pub use parts::Parts;
pub use runtime::{ArtifactName, RuntimeArtifact, RuntimeParts};
pub use scriptless::TriggerParts;
pub use scripts::{Fitness, Script, examine};
pub use triggers::after_triggers;
pub use usage::Usage;

pub(crate) use scripts::judge;

/// The name of the product that holds the builder of an extended build, for the next one's artifacts.
pub const BUILD: &str = "build";

/// What an image and the tool that builds with it agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contract {
    /// As `--contract` names it.
    pub name: &'static str,
    /// Where the scripts lie, unless the image says otherwise.
    pub directory: &'static str,
    /// Labels by which an image says where the scripts lie, the first one that is there counts.
    pub directory_labels: &'static [&'static str],
    /// Variables of the image that say the same, asked after the labels.
    pub directory_variables: &'static [&'static str],
    /// The script that builds the source.
    pub build: &'static str,
    /// The script that becomes the command of the product.
    pub run: &'static str,
    /// The script that hands over what the next build can reuse.
    pub save_artifacts: &'static str,
    /// How that script does it.
    pub saves_to: SavesTo,
    /// The script that explains the image.
    pub usage: Option<&'static str>,
    /// The directory below which everything arrives, unless the image says otherwise.
    pub destination: &'static str,
    /// Labels by which an image says where everything arrives.
    pub destination_labels: &'static [&'static str],
    /// Variables by which an older image says so.
    pub destination_variables: &'static [&'static str],
    /// Where the source arrives, below the destination.
    pub source: &'static str,
    /// Where artifacts of the previous build arrive, below the destination.
    pub artifacts: &'static str,
    /// Where scripts arrive that do not lie in the image, below the destination.
    pub scripts: &'static str,
    /// The file in which the scripts leave labels for the product.
    pub labels_file: Option<&'static str>,
    /// The label by which an image says who its scripts run as, where that is not its own user.
    pub user_label: Option<&'static str>,
    /// Where the result of an extended build is left, below the destination; without one, paths are chosen by the user.
    pub result: Option<&'static str>,
}

/// How artifacts are handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SavesTo {
    /// The script copies them to where artifacts arrive.
    Directory,
    /// The script writes a tar to its standard output.
    StandardOutput,
}

/// The contract of `prepare`.
pub const PREPARE: Contract = Contract {
    name: "prepare",
    directory: "/usr/bin",
    directory_labels: &[],
    directory_variables: &[],
    build: "prepare",
    run: "run",
    save_artifacts: "save-artifacts",
    saves_to: SavesTo::Directory,
    usage: None,
    destination: "/tmp",
    destination_labels: &[],
    destination_variables: &[],
    source: "src",
    artifacts: "artifacts",
    scripts: "scripts",
    labels_file: None,
    user_label: None,
    result: Some("build"),
};

/// The contract of `assemble`.
pub const ASSEMBLE: Contract = Contract {
    name: "assemble",
    directory: "/usr/libexec/s2i",
    directory_labels: &["io.openshift.s2i.scripts-url", "io.s2i.scripts-url"],
    directory_variables: &["STI_SCRIPTS_URL"],
    build: "assemble",
    run: "run",
    save_artifacts: "save-artifacts",
    saves_to: SavesTo::StandardOutput,
    usage: Some("usage"),
    destination: "/tmp",
    destination_labels: &["io.openshift.s2i.destination", "io.s2i.destination"],
    destination_variables: &["STI_LOCATION"],
    source: "src",
    artifacts: "artifacts",
    scripts: "scripts",
    labels_file: Some("/tmp/.s2i/image_metadata.json"),
    user_label: Some("io.openshift.s2i.assemble-user"),
    result: None,
};

impl Contract {
    /// Tells where the script lies that builds the source.
    pub fn build_script(&self) -> String {
        self.script(self.build)
    }

    /// Tells where the script lies that becomes the command of the product.
    pub fn run_script(&self) -> String {
        self.script(self.run)
    }

    /// Tells where the script lies that hands over what the next build can reuse.
    pub fn save_artifacts_script(&self) -> String {
        self.script(self.save_artifacts)
    }

    /// Tells where the source arrives.
    pub fn source_at(&self) -> String {
        self.below_destination(self.source)
    }

    /// Tells where artifacts of the previous build arrive.
    pub fn artifacts_at(&self) -> String {
        self.below_destination(self.artifacts)
    }

    /// Tells where the result of an extended build is left.
    pub fn result_at(&self) -> Option<String> {
        self.result.map(|result| self.below_destination(result))
    }

    /// Tells what an image says of where its scripts lie, in its labels or its variables: an address such as `image:///usr/libexec/s2i`.
    pub fn announced_by(&self, image: &Image) -> Option<String> {
        said(image, self.directory_labels, self.directory_variables)
    }

    /// Tells below which directory an image says that everything arrives.
    pub fn destination_of(&self, image: &Image) -> Option<String> {
        said(image, self.destination_labels, self.destination_variables)
    }

    fn script(&self, name: &str) -> String {
        format!("{}/{name}", self.directory)
    }

    fn below_destination(&self, name: &str) -> String {
        format!("{}/{name}", self.destination)
    }
}

/// What an image says in the first of some labels, or else of some variables; one without a value says nothing.
fn said(image: &Image, labels: &[&str], variables: &[&str]) -> Option<String> {
    let environment = image.environment();
    let of_variables = environment.into_iter().filter(|variable| variables.contains(&variable.name.as_str()));
    let all = labels.iter().filter_map(|label| image.label(label)).chain(of_variables.map(|variable| variable.value));
    all.into_iter().find(|value| !value.is_empty())
}

//! What a plugin is asked, and what it is given to answer.

use std::sync::Arc;

use cap_std::fs::Dir;
use sti_core::{Blob, ImageFacts, Plan, Progress, Reference, Tree, Variable, Wishes, plan::Network, tree};
use sti_engine::Questions;

use crate::{Keeper, Moment, Scripts, Web};

/// A build to be planned.
#[derive(Clone)]
pub struct Job {
    /// The name under which the strategy was called.
    pub strategy: String,
    /// What is built.
    pub source: Tree,
    /// What is known of where it came from: `address`, `revision`, ….
    pub source_facts: Vec<Variable>,
    /// What builds it.
    pub builder_image: Reference,
    /// Given in an extended build only.
    pub runtime_image: Option<Reference>,
    /// The name of the product.
    pub tag: Reference,
    /// Whether an earlier product is to be ignored.
    pub clean: bool,
    /// How the contract is to be followed.
    pub wishes: Wishes,
    /// Whether the user allows ONBUILD instructions.
    pub allows_triggers: bool,
    /// `prepare` or `assemble`, where the user forced one.
    pub contract: Option<String>,
    /// The user's variables.
    pub environment: Vec<Variable>,
    /// Those that no image may keep.
    pub build_environment: Vec<Variable>,
    /// The names of secrets that scripts look for in [`sti_core::secret::DIRECTORY`].
    pub secrets: Vec<String>,
    /// The names of secrets that are directories, and where each is to be mounted.
    pub injected: Vec<Variable>,
    /// Checked against the plugin's card.
    pub settings: Vec<Variable>,
    /// Such as `linux/amd64`.
    pub platform: String,
    /// What containers reach where the plan does not say otherwise.
    pub network: Network,
}

impl Job {
    /// The name that a product of this build bears.
    pub(crate) fn tag_of(&self, product: &str) -> Result<Reference, sti_core::reference::Malformed> {
        if product == sti_core::plan::APP { Ok(self.tag.clone()) } else { self.tag.sibling(product) }
    }
}

/// Something to be judged.
#[derive(Clone)]
pub struct Subject {
    /// When it is judged.
    pub moment: Moment,
    /// `builder`, `runtime`, or the product's name.
    pub role: String,
    /// The image, where there is one.
    pub image: Option<ImageFacts>,
    /// The source, once it is there.
    pub source: Option<Tree>,
    /// The plan, once it is there.
    pub plan: Option<Plan>,
    /// Whether an incremental build is asked for.
    pub incremental: bool,
    /// Whether the image is one half of an extended build.
    pub extended: bool,
    /// `prepare` or `assemble`, where the user forced one.
    pub contract: Option<String>,
    /// Checked against the plugin's card.
    pub settings: Vec<Variable>,
}

/// A source to be fetched.
#[derive(Clone)]
pub struct Errand {
    /// As the user wrote it, without the fetcher's prefix, the reference and credentials.
    pub text: String,
    /// Branch, tag or commit.
    pub reference: Option<String>,
    /// The part that is wanted.
    pub subdirectory: Option<String>,
    /// Checked against the plugin's card.
    pub settings: Vec<Variable>,
    /// The bytes, where the address is a file of the user's.
    pub file: Option<Blob>,
    /// Shown as `/input`, to be read only, where the address is a directory of the user's.
    pub input: Option<Arc<Dir>>,
}

/// What a fetcher reaches beside its tree.
#[derive(Clone)]
pub struct Reach {
    /// Servers; none where the address grants no network.
    pub web: Option<Arc<dyn Web>>,
    /// What earlier fetches left; without it nothing is found and nothing is kept.
    pub keeper: Option<Arc<dyn Keeper>>,
    /// Where it keeps what does not fit into memory, in files without a name.
    pub spool: Arc<Dir>,
    /// For messages and progress.
    pub progress: Arc<dyn Progress>,
}

/// What a fetcher brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// What it found out, such as `revision`.
    pub facts: Vec<Variable>,
    /// How much there is in the tree: what it wrote, or what was kept.
    pub summary: tree::Summary,
    /// Those of the facts that it found out after it had asked for a kept tree: they belong to the tree.
    pub of_tree: Vec<Variable>,
    /// Whether the keeper's tree was taken, so that nothing was written.
    pub is_reused: bool,
    /// Which modes lost bits.
    pub dropped: Option<tree::DroppedBits>,
}

/// What answers a plugin's questions and hears what it says.
#[derive(Clone)]
pub struct Powers {
    /// About images.
    pub questions: Arc<dyn Questions>,
    /// Scripts at an address of the user's, where there is one.
    pub scripts: Option<Arc<dyn Scripts>>,
    /// For messages and progress.
    pub progress: Arc<dyn Progress>,
}

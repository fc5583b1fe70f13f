//! What the user may say of how a contract is followed; what is left out the images say, or the contract.

/// How a contract is to be followed. Strategies read it, the host does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Whether artifacts of an earlier product are wanted.
    pub incremental: Incremental,
    /// Where scripts of the contract `assemble` are, such as `image:///usr/libexec/s2i`.
    pub scripts_url: Option<String>,
    /// Below which directory source, scripts and artifacts arrive by `assemble`.
    pub destination: Option<String>,
    /// Who the script runs as that builds by `assemble`.
    pub assemble_user: Option<String>,
    /// The same of the script that puts the product of an extended build together in the runtime image.
    pub assemble_runtime_user: Option<String>,
    /// What an extended build by `assemble` takes of the builder: `PATH[:DIRECTORY]`.
    pub runtime_artifacts: Vec<String>,
}

/// What the user says of incremental builds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Incremental {
    /// Nothing: as the contract has it.
    #[default]
    AsUsual,
    /// Where that can be.
    Wanted,
    /// Or the build fails.
    Required,
}

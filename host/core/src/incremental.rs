//! Whether artifacts of an earlier product are wanted.

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

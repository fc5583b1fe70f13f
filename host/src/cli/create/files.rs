//! The files of a skeleton. `@NAME@` in them is the name of the builder image.

use super::ContractChoice;

/// A file of a skeleton.
#[derive(Debug)]
pub(super) struct Skeleton {
    pub(super) path: &'static str,
    pub(super) is_program: bool,
    pub(super) text: &'static str,
}

const ASSEMBLE: &[Skeleton] = &[
    file("Dockerfile", include_str!("assemble/Dockerfile")),
    file("README.md", include_str!("assemble/README.md")),
    program("s2i/bin/assemble", include_str!("assemble/assemble")),
    program("s2i/bin/run", include_str!("both/run")),
    program("s2i/bin/save-artifacts", include_str!("assemble/save-artifacts")),
    program("s2i/bin/usage", include_str!("assemble/usage")),
    file("test/app/index.html", include_str!("both/index.html")),
    program("test/run", include_str!("both/test")),
];

const PREPARE: &[Skeleton] = &[
    file("Dockerfile", include_str!("prepare/Dockerfile")),
    file("README.md", include_str!("prepare/README.md")),
    program("bin/prepare", include_str!("prepare/prepare")),
    program("bin/run", include_str!("both/run")),
    program("bin/save-artifacts", include_str!("prepare/save-artifacts")),
    file("test/app/index.html", include_str!("both/index.html")),
    program("test/run", include_str!("both/test")),
];

/// The files of a builder image that follows this contract.
pub(super) fn of(contract: ContractChoice) -> &'static [Skeleton] {
    match contract {
        ContractChoice::Assemble => ASSEMBLE,
        ContractChoice::Prepare => PREPARE,
    }
}

const fn file(path: &'static str, text: &'static str) -> Skeleton {
    Skeleton { path, is_program: false, text }
}

const fn program(path: &'static str, text: &'static str) -> Skeleton {
    Skeleton { path, is_program: true, text }
}

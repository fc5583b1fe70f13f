//! What is measured, by either contract: four kinds of build, each with a script that only looks and one that takes all into the product.

use anyhow::Result;
use sti_test_engine::{Engine, Entry, Image};

use super::{
    LABEL,
    contract::Contract,
    sources::{Source, noise},
};

/// The user of the builder image; a number, so that nobody has to look for a name.
pub(super) const USER: u64 = 1001;

/// One line of the table.
pub(super) struct Case {
    /// As `--case` takes it.
    pub(super) name: &'static str,
    /// How the builder image takes part.
    pub(super) contract: Contract,
    /// What is built.
    pub(super) source: Source,
    /// What the product of before hands over; none is a clean build.
    pub(super) artifacts: Option<Artifacts>,
    /// What `prepare` or `assemble` does, in verbs of the fixture.
    script: &'static str,
}

/// Files of the builder image, which every product of it hands over in the same way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Artifacts {
    files: u64,
    bytes_each: usize,
}

const LOOKS: &str = "count /tmp/src /app/count.txt";
const COPIES: &str = "copy /tmp/src /app/src";
const MOVES: &str = "move /tmp/src /app/src";
const LOOKS_AT_BOTH: &str = "count /tmp/src /app/count.txt\ncount /tmp/artifacts /app/artifacts.txt";
const COPIES_BOTH: &str = "copy /tmp/src /app/src\ncopy /tmp/artifacts /app/artifacts";
const MOVES_BOTH: &str = "move /tmp/src /app/src\nmove /tmp/artifacts /app/artifacts";

const FEW_ARTIFACTS: Artifacts = Artifacts { files: 100, bytes_each: 1_000_000 };
const MANY_ARTIFACTS: Artifacts = Artifacts { files: 5_000, bytes_each: 20_000 };

/// All cases.
pub(super) const CASES: &[Case] = &[
    Case::clean("prepare: 10 files, looks", Contract::Prepare, Source::Few, LOOKS),
    Case::clean("prepare: 10 files, copies", Contract::Prepare, Source::Few, COPIES),
    Case::clean("prepare: 20,000 files, looks", Contract::Prepare, Source::Many, LOOKS),
    Case::clean("prepare: 20,000 files, copies", Contract::Prepare, Source::Many, COPIES),
    Case::clean("prepare: 1 GiB, looks", Contract::Prepare, Source::Large, LOOKS),
    Case::clean("prepare: 1 GiB, copies", Contract::Prepare, Source::Large, COPIES),
    Case::incremental("prepare: 100 MB of artifacts, looks", Contract::Prepare, FEW_ARTIFACTS, LOOKS_AT_BOTH),
    Case::incremental("prepare: 100 MB of artifacts, copies", Contract::Prepare, FEW_ARTIFACTS, COPIES_BOTH),
    Case::clean("assemble: 10 files, looks", Contract::Assemble, Source::Few, LOOKS),
    Case::clean("assemble: 10 files, moves", Contract::Assemble, Source::Few, MOVES),
    Case::clean("assemble: 20,000 files, looks", Contract::Assemble, Source::Many, LOOKS),
    Case::clean("assemble: 20,000 files, moves", Contract::Assemble, Source::Many, MOVES),
    Case::clean("assemble: 1 GiB, looks", Contract::Assemble, Source::Large, LOOKS),
    Case::clean("assemble: 1 GiB, moves", Contract::Assemble, Source::Large, MOVES),
    Case::incremental("assemble: 100 MB of artifacts, looks", Contract::Assemble, MANY_ARTIFACTS, LOOKS_AT_BOTH),
    Case::incremental("assemble: 100 MB of artifacts, moves", Contract::Assemble, MANY_ARTIFACTS, MOVES_BOTH),
];

const FIXTURE: &str = "/usr/bin/fixture";

impl Case {
    const fn clean(name: &'static str, contract: Contract, source: Source, script: &'static str) -> Self {
        Self { name, contract, source, artifacts: None, script }
    }

    const fn incremental(name: &'static str, contract: Contract, artifacts: Artifacts, script: &'static str) -> Self {
        Self { name, contract, source: Source::Few, artifacts: Some(artifacts), script }
    }

    /// Makes the builder image of the case and answers its name. What it hands over as artifacts lies in the image itself, so that
    /// every build of a product of it is incremental in the same way.
    pub(super) fn make_builder(&self, engine: &Engine, fixture: &[u8]) -> Result<String> {
        let directory = |path: &str, mode, owner| Entry::Directory { path: path.to_owned(), mode, owner: (owner, 0) };
        let file = |path: String, mode, bytes: Vec<u8>| Entry::File { path, mode, bytes };
        let mut entries = vec![
            directory("/tmp", 0o1777, 0),
            directory("/usr", 0o755, 0),
            directory("/usr/bin", 0o755, 0),
            directory("/etc", 0o755, 0),
            directory("/etc/fixture", 0o755, 0),
            directory("/app", 0o755, USER),
            // The first build of all is clean, and its script looks here too.
            directory("/tmp/artifacts", 0o755, USER),
            directory("/cache", 0o755, USER),
            file(FIXTURE.to_owned(), 0o755, fixture.to_vec()),
        ];
        entries.extend(self.contract.directories().iter().map(|path| directory(path, 0o755, 0)));
        let save = self.artifacts.map(|_| ("save-artifacts", self.contract.saves()));
        for (name, verbs) in [(self.contract.builds(), self.script), ("run", "print done")].into_iter().chain(save) {
            entries.push(Entry::HardLink { path: self.contract.script(name), to: FIXTURE.to_owned() });
            entries.push(file(format!("/etc/fixture/{name}"), 0o644, verbs.into()));
        }
        entries.extend(self.artifacts.iter().flat_map(Artifacts::entries));
        let label = self.contract.label().map(|label| format!("LABEL {label}"));
        let changes = [format!("USER {USER}"), format!("LABEL {LABEL}=1")].into_iter().chain(label).collect();
        let name = "sti-bench-builder:latest".to_owned();
        engine.import(&Image { entries, changes }, &name)?;
        Ok(name)
    }
}

impl Artifacts {
    /// They belong to the image's user, as what a script of it left would.
    fn entries(&self) -> impl Iterator<Item = Entry> {
        let bytes_each = self.bytes_each;
        (0..self.files).map(move |number| Entry::OwnedFile {
            path: format!("/cache/{number}"),
            mode: 0o644,
            owner: (USER, 0),
            bytes: noise(bytes_each, number),
        })
    }
}

//! What is measured: four kinds of source, each with a script that only looks at it and one that copies it into the product.

use anyhow::Result;
use sti_test_engine::{Engine, Entry, Image};

use super::{LABEL, sources::Source};

/// The user of the builder image; a number, so that nobody has to look for a name.
pub(super) const USER: u64 = 1001;

/// One line of the table.
pub(super) struct Case {
    /// As `--case` takes it.
    pub(super) name: &'static str,
    /// What is built.
    pub(super) source: Source,
    /// Megabytes that the product of before hands over; none is a clean build.
    pub(super) artifacts: Option<u64>,
    prepare: &'static str,
}

const LOOKS: &str = "count /tmp/src /app/count.txt";
const COPIES: &str = "copy /tmp/src /app/src";

/// All cases.
pub(super) const CASES: &[Case] = &[
    Case { name: "10 files, looks", source: Source::Few, artifacts: None, prepare: LOOKS },
    Case { name: "10 files, copies", source: Source::Few, artifacts: None, prepare: COPIES },
    Case { name: "20,000 files, looks", source: Source::Many, artifacts: None, prepare: LOOKS },
    Case { name: "20,000 files, copies", source: Source::Many, artifacts: None, prepare: COPIES },
    Case { name: "1 GiB, looks", source: Source::Large, artifacts: None, prepare: LOOKS },
    Case { name: "1 GiB, copies", source: Source::Large, artifacts: None, prepare: COPIES },
    Case {
        name: "100 MB of artifacts, looks",
        source: Source::Few,
        artifacts: Some(100),
        prepare: "count /tmp/src /app/count.txt\ncount /tmp/artifacts /app/artifacts.txt",
    },
    Case {
        name: "100 MB of artifacts, copies",
        source: Source::Few,
        artifacts: Some(100),
        prepare: "copy /tmp/src /app/src\ncopy /tmp/artifacts /app/artifacts",
    },
];

const FIXTURE: &str = "/usr/bin/fixture";

impl Case {
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
            directory("/tmp/artifacts", 0o755, USER),
            directory("/cache", 0o755, USER),
            file(FIXTURE.to_owned(), 0o755, fixture.to_vec()),
        ];
        let save = self.artifacts.map(|_| ("save-artifacts", "copy /cache /tmp/artifacts"));
        for (name, verbs) in [("prepare", self.prepare), ("run", "print done")].into_iter().chain(save) {
            entries.push(Entry::HardLink { path: format!("/usr/bin/{name}"), to: FIXTURE.to_owned() });
            entries.push(file(format!("/etc/fixture/{name}"), 0o644, verbs.into()));
        }
        for number in 0..self.artifacts.unwrap_or(0) {
            entries.push(file(format!("/cache/{number}"), 0o644, super::sources::noise(1_000_000, number)));
        }
        let image = Image { entries, changes: vec![format!("USER {USER}"), format!("LABEL {LABEL}=1")] };
        let name = "sti-bench-builder:latest".to_owned();
        engine.import(&image, &name)?;
        Ok(name)
    }
}

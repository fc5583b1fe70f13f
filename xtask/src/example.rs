//! The example builder image: one static program under three names, and nothing else.

use std::fs;

use anyhow::{Context, Result};
use sti_test_engine::{Engine, Entry, Image};

use crate::{
    commands::{cargo, run, target_directory},
    targets,
};

/// The name of the image.
pub(crate) const BUILDER: &str = "sti-demo-builder";

/// The label on the image, and so on everything that is made from it.
pub(crate) const LABEL: &str = "sti.demo";

/// The user that the image runs as.
const USER: u64 = 1001;

/// `cargo xtask example-image`: makes the image and says what to do with it.
pub(crate) fn make_by_hand() -> Result<()> {
    targets::add_missing()?;
    make(&Engine::of_environment())?;
    println!("\nmade {BUILDER}; now, for example:\n");
    println!("$ cargo build\n$ target/debug/sti build examples/site {BUILDER} my-site --strategy commit");
    println!("$ docker run --rm --init --publish 127.0.0.1:8080:8080 my-site\n\n`docker image rm {BUILDER}` removes it");
    Ok(())
}

/// Builds the program and makes the image, which pulls nothing.
pub(crate) fn make(engine: &Engine) -> Result<()> {
    let target = targets::musl();
    run(cargo(["build", "--release", "--package", "site-builder", "--target", &target]))?;
    let program = target_directory().join(target).join("release/site-builder");
    let program = fs::read(&program).with_context(|| program.display().to_string())?;
    engine.import(&image(program), &format!("{BUILDER}:latest")).map(|_| ())
}

fn image(program: Vec<u8>) -> Image {
    let directory = |path: &str, mode, owner| Entry::Directory { path: path.to_owned(), mode, owner: (owner, 0) };
    let name = |name: &str| Entry::HardLink { path: format!("/usr/bin/{name}"), to: "/usr/bin/prepare".to_owned() };
    let entries = vec![
        directory("/tmp", 0o1777, 0),
        directory("/usr", 0o755, 0),
        directory("/usr/bin", 0o755, 0),
        directory("/srv", 0o755, USER),
        Entry::File { path: "/usr/bin/prepare".to_owned(), mode: 0o755, bytes: program },
        name("run"),
        name("save-artifacts"),
    ];
    let changes = [format!("USER {USER}"), "EXPOSE 8080/tcp".to_owned(), format!("LABEL {LABEL}=1")];
    Image { entries, changes: changes.to_vec() }
}

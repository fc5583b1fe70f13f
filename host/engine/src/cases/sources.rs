//! The source: what the user's directory holds arrives as it is.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};

use cap_std::fs::{Dir, Permissions, PermissionsExt};
use sti_core::{Tree, plan::Content};

use super::{
    Bench, Failure, User,
    stage::{Stage, holds_true, mounted, same},
};
use crate::Error;

/// What stands in the listing that the container writes, for the directory that [`fill`] makes.
fn expected() -> String {
    let lines = [
        "d 0755 431:433 - .",
        "f 0644 431:433 0 .dot",
        "f 0644 431:433 8 .s2iignore",
        "l 0777 431:433 /nowhere absolute",
        "l 0777 431:433 gone dangling",
        "d 0700 431:433 - empty",
        "f 4755 431:433 3*2 hard",
        "f 0644 431:433 1 na\\xc3\\xafve\\x20\\xe2\\x98\\x83",
        "f 0644 431:433 1 new\\x0aline",
        "d 0755 431:433 - sub",
        "f 0400 431:433 1 sub/closed",
        "f 4755 431:433 3*2 sub/second",
    ];
    let long = format!("f 0644 431:433 1 {}", "x".repeat(255));
    let last = "f 0644 431:433 1 \\xff\\xfe";
    lines.into_iter().chain([long.as_str(), last]).fold(String::new(), |text, line| text + line + "\n")
}

fn fill(dir: &Dir) -> std::io::Result<()> {
    dir.create_dir("sub")?;
    dir.create_dir("empty")?;
    dir.write("hard", "bin")?;
    dir.hard_link("hard", dir, "sub/second")?;
    let long = "x".repeat(255).into_bytes();
    let names: [&[u8]; 5] = ["naïve ☃".as_bytes(), b"new\nline", b"sub/closed", &long, b"\xff\xfe"];
    for name in names {
        dir.write(OsStr::from_bytes(name), "1")?;
        dir.set_permissions(OsStr::from_bytes(name), Permissions::from_mode(0o644))?;
    }
    dir.write(".dot", "")?;
    dir.write(".s2iignore", "ignored\n")?;
    dir.create_dir("ignored")?;
    dir.write("ignored/file", "")?;
    dir.symlink_contents("/nowhere", "absolute")?;
    dir.symlink_contents("gone", "dangling")?;
    for (path, mode) in
        [("hard", 0o4755), ("empty", 0o700), ("sub", 0o755), ("sub/closed", 0o400), (".dot", 0o644), (".s2iignore", 0o644)]
    {
        dir.set_permissions(path, Permissions::from_mode(mode))?;
    }
    Ok(())
}

async fn with_source<'a>(
    bench: &'a dyn Bench,
    case: &str,
    fill: impl Fn(&Dir) -> std::io::Result<()>,
) -> Result<(Stage<'a>, Dir), Failure> {
    let mut stage = Stage::new(bench, case, User::Numeric).await;
    let dir = bench.directory();
    fill(&dir).map_err(Failure::new)?;
    let tree = Tree::directory(dir.try_clone().map_err(Failure::new)?, Path::new("source")).map_err(Failure::new)?;
    stage.source = Some(tree);
    Ok((stage, dir))
}

pub(super) async fn brings_a_source_of_all_shapes(bench: &dyn Bench) -> Result<(), Failure> {
    let (mut stage, _dir) = with_source(bench, "shapes", fill).await?;
    let source = stage.content(Content::Source);
    let app = stage.commit("list /tmp/src /app/list", vec![mounted(source, "/tmp/src")]);
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/list", &expected()).await
}

pub(super) async fn brings_a_single_file(bench: &dyn Bench) -> Result<(), Failure> {
    let (mut stage, dir) = with_source(bench, "single", |dir| dir.write("app.war", "1")).await?;
    stage.source = Some(Tree::single_file(dir, OsStr::new("app.war"), Path::new("app.war")).map_err(Failure::new)?);
    let source = stage.content(Content::Source);
    let app = stage.commit("append /tmp/src/app.war 2 then copy /tmp/src/app.war /app/x", vec![mounted(source, "/tmp/src")]);
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/x", "12").await
}

pub(super) async fn brings_a_part_of_the_source(bench: &dyn Bench) -> Result<(), Failure> {
    let (mut stage, _dir) = with_source(bench, "part", fill).await?;
    let source = stage.content(Content::Source);
    let part = stage.content(Content::Part { of: source, path: "sub".to_owned() });
    let app = stage.commit("list /tmp/in /app/list", vec![mounted(part, "/tmp/in")]);
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/list", "d 0755 431:433 - .\nf 0400 431:433 1 closed\nf 4755 431:433 3 second\n").await
}

pub(super) async fn names_a_special_file_of_the_source_and_runs_nothing(bench: &dyn Bench) -> Result<(), Failure> {
    let make = |dir: &Dir| rustix::fs::mkfifoat(dir, "special", rustix::fs::Mode::RUSR).map_err(Into::into);
    let (mut stage, _dir) = with_source(bench, "special", make).await?;
    let source = stage.content(Content::Source);
    let app = stage.commit("print never", vec![mounted(source, "/tmp/src")]);
    match stage.try_execute(app).await? {
        Err(Error::Source(text)) => holds_true(&text, text.contains("source/special"))?,
        other => return Err(Failure::new(format!("expected an error of the source, and it is {other:?}"))),
    }
    holds_true("nothing ran", stage.told.lines().is_empty())?;
    stage.engine.clean_up().await.map_err(Failure::new)?;
    same("what is left", &stage.left_by(stage.engine.build()).await?, &0)
}

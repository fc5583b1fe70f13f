//! `cargo xtask real`: applications built with builder images as communities make them. No registry of images is asked: the images are
//! made of Debian's packages, once per machine, and removed from the engine in the end.

mod builder;
mod cases;
mod packages;
mod product;
mod root;

use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use sti_test_engine::{Engine, can_have};

use crate::{
    commands::{build_sti, command, run as run_shown, run_and_hear, target_directory},
    traces,
};

use builder::Builder;
use cases::Case;

/// The label on the images, and so on everything that is made from them.
const LABEL: &str = "sti.real";

/// What the names of the images begin with that are built; the strategy stands behind it.
const PRODUCT: &str = "sti-real-product";

/// Each strategy that `sti` brings.
const STRATEGIES: &[&str] = &["commit", "dockerfile"];

/// How the product was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Build {
    Clean,
    Incremental,
}

/// Builds and runs an application with each image, or with those that are named. Fails if anything is not as it should be, and cleans up
/// in any case.
pub(crate) fn run(names: &[&str]) -> Result<()> {
    let engine = ready()?;
    let cases = cases::chosen(names)?;
    run_shown(build_sti())?;
    traces::remove(&engine, LABEL)?;
    let tried = cases.iter().try_for_each(|case| try_case(&engine, case).with_context(|| case.name));
    let removed = traces::remove(&engine, LABEL);
    tried.and(removed)?;
    println!("\nall were built, and run: {}", cases.iter().map(|case| case.name).collect::<Vec<_>>().join(", "));
    Ok(())
}

/// Makes the images of all cases, or of those that are named, and keeps them for commands typed by hand.
pub(crate) fn make_images(names: &[&str]) -> Result<()> {
    let engine = ready()?;
    for case in cases::chosen(names)? {
        for name in case.images {
            println!("made {}", Builder::named(name).make(&engine)?);
        }
    }
    println!("\n`docker image rm $(docker image ls --quiet --filter label={LABEL})` removes them");
    Ok(())
}

/// What is missing to make and run images. With `CI=true` packages are installed.
pub(crate) fn missing() -> Option<String> {
    let engine = Engine::of_environment();
    if !engine.answers() {
        return Some(format!("no engine answers at {}: start Docker or Podman, or set DOCKER_HOST", engine.url()));
    }
    let is_there = can_have("mmdebstrap", "mmdebstrap");
    (!is_there).then(|| "the images are made by mmdebstrap: apt-get install mmdebstrap".to_owned())
}

fn ready() -> Result<Engine> {
    match missing() {
        Some(why) => bail!(why),
        None => Ok(Engine::of_environment()),
    }
}

/// The images of one case live only as long as it is tried: an engine may have little room.
fn try_case(engine: &Engine, case: &Case) -> Result<()> {
    println!("\n=== {}", case.name);
    for name in case.images {
        let began = Instant::now();
        println!("made {} in {:.1} s", Builder::named(name).make(engine)?, began.elapsed().as_secs_f64());
    }
    for strategy in STRATEGIES {
        for build in [Build::Clean, Build::Incremental] {
            try_build(engine, case, strategy, build).with_context(|| format!("{strategy}, {build:?}"))?;
        }
    }
    traces::remove(engine, LABEL)
}

fn try_build(engine: &Engine, case: &Case, strategy: &str, build: Build) -> Result<()> {
    let heard = run_and_hear(command(target_directory().join("debug/sti"), arguments(case, strategy, build)))?;
    if let Some(reused) = case.reused {
        let wanted = build == Build::Incremental;
        ensure!(
            heard.contains(reused) == wanted,
            "that assemble says `{reused}` was {}expected",
            if wanted { "" } else { "not " }
        );
    }
    product::check(engine, case, &product_of(strategy))
}

/// Each strategy has a product of its own, so that nothing of another one is there to be reused.
fn product_of(strategy: &str) -> String {
    format!("{PRODUCT}-{strategy}")
}

fn arguments(case: &Case, strategy: &str, build: Build) -> Vec<String> {
    let source = format!("tests/real/{}/app", case.source);
    let builder = Builder::named(case.images[0]).image();
    let mut arguments = ["build", &source, &builder, &product_of(strategy), "--strategy", strategy].map(str::to_owned).to_vec();
    arguments.extend(["--env".to_owned(), format!("WHOM={}", cases::WHOM)]);
    if let Some(runtime) = case.images.get(1) {
        arguments.extend(["--runtime".to_owned(), Builder::named(runtime).image()]);
    }
    arguments.extend(case.flags.iter().copied().map(str::to_owned));
    // Without anything to reuse, a build that is asked to be incremental is a clean one.
    // The builder of a pair is kept for the next build only where builds are asked to be incremental.
    let how = match build {
        Build::Clean if case.images.len() > 1 => "--incremental",
        Build::Clean => "--clean",
        Build::Incremental if case.reused.is_some() => "--incremental=require",
        Build::Incremental => "--incremental",
    };
    arguments.push(how.to_owned());
    arguments
}

#[cfg(test)]
mod tests {
    use super::{cases::CASES, *};

    #[test]
    fn each_image_of_each_case_has_its_folder() {
        for case in CASES {
            for name in case.images {
                Builder::named(name).image_of_scripts().unwrap();
            }
            assert!(crate::commands::root().join("tests/real").join(case.source).join("app").is_dir(), "{}", case.name);
        }
    }

    #[test]
    fn the_second_build_of_a_pair_names_both_images() {
        let pair = CASES.iter().find(|case| case.images.len() == 2).unwrap();
        let typed = arguments(pair, "commit", Build::Incremental).join(" ");
        let wanted = "build tests/real/c/app sti-real-c sti-real-product-commit --strategy commit --env WHOM=everybody \
                      --runtime sti-real-c-runtime --runtime-artifact /opt/app-root/bin/app --incremental=require";
        assert_eq!(typed, wanted);
    }
}

//! The set-up commands of the README, and what CI calls: `cargo xtask COMMAND`.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for whoever works on the repository: terminal, environment and files are its business"
)]

mod bench;
mod commands;
mod demo;
mod example;
mod gate;
mod page;
mod real;
mod targets;
mod traces;

use std::{env, process::ExitCode};

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask COMMAND

  demo [--keep-builder]   builds sti and an example builder image, makes a site with them, shows it, edits it, makes it again
  example-image           makes the example builder image, so that the commands of the demo can be typed by hand
  test [--real] [STEP]... the gate: the house's rules, format, lints, docs, all tests, or only the steps that are named; with CI=true
                          nothing may be skipped. Of `real` it runs Python and JavaScript, and with --real all
  real [--images] [NAME]...
                          applications in Python, JavaScript and others, with builder images that are made of Debian's packages as
                          communities make theirs, on every strategy, clean and incrementally; --images makes the images and keeps them
  bench [--url ENDPOINT] [--runs N] [--case NAME] [--sti PATH]
                          the same work by sti and by bare API calls in turn, on an engine of its own or the one that is named
  bench fetch [--runs N] [--case NAME] [--sti PATH] [--fetcher PATH.wasm] [--into DIRECTORY]
                          the same sources by sti and by git, tar and unzip in turn, below DIRECTORY: on a tmpfs, where no disk has a part

The engine of demo, example-image, real and test is the one of DOCKER_HOST, else the one at /var/run/docker.sock.";

fn main() -> ExitCode {
    let arguments = env::args().skip(1).collect::<Vec<_>>();
    match carry_out(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn carry_out(arguments: &[String]) -> Result<()> {
    let arguments = arguments.iter().map(String::as_str).collect::<Vec<_>>();
    match arguments.as_slice() {
        ["demo"] => demo::demo(demo::Builder::Removed),
        ["demo", "--keep-builder"] => demo::demo(demo::Builder::Kept),
        ["example-image"] => example::make_by_hand(),
        ["test", "--real", steps @ ..] => gate::run(steps).and_then(|()| real::run(&[])),
        ["test", steps @ ..] => gate::run(steps),
        ["real", "--images", names @ ..] => real::make_images(names),
        ["real", names @ ..] => real::run(names),
        ["bench", rest @ ..] => bench::run(rest),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        other => bail!("unknown command `{}`\n\n{HELP}", other.join(" ")),
    }
}

//! `sti build --as-dockerfile PATH`: writes what a build would do as a Dockerfile, and builds nothing.

mod place;

use std::{
    path::Path,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::json;
use sti_core::BuildId;

use super::{
    args::{BuildCommand, Output},
    display,
    interrupt::Interrupts,
    report::{print_json, print_line},
    request::build_request,
    scratch, surroundings,
};
use crate::{AsDockerfile, StiError, as_dockerfile};
use place::Place;

pub(super) async fn run(command: BuildCommand, path: &Path, output: &Output) -> Result<ExitCode, StiError> {
    let build = BuildId::draw();
    let request = build_request(&command.what, &build)?;
    let place = Place::at(path, &command.what)?;
    let mut interrupts = Interrupts::listen()?;
    // Standard output belongs to the answer.
    let progress = display::of(&Output { json: false, ..output.clone() });
    scratch::tell(&request.source, command.what.fetching.no_cache, progress.as_ref());
    let host = interrupts.unless(surroundings::host(&command.what.place, &build, Arc::clone(&progress))).await?;
    let writing = Box::pin(as_dockerfile(request, &host, Arc::clone(&progress), place.file(), place.context()));
    let written = interrupts.unless_cleaning(writing, &host, progress.as_ref()).await?;
    let place = Arc::new(place);
    let (written, place) = write(written, place, &mut interrupts).await?;
    tell(&command, &written, &place, output);
    Ok(ExitCode::SUCCESS)
}

/// Copies a source of any size beside what listens for signals; after one, what was written so far is removed.
async fn write(
    written: AsDockerfile,
    place: Arc<Place>,
    interrupts: &mut Interrupts,
) -> Result<(AsDockerfile, Arc<Place>), StiError> {
    let is_wanted = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&is_wanted);
    let mut copying =
        tokio::task::spawn_blocking(move || place.write(&written, &|| asked.load(Ordering::Relaxed)).map(|()| (written, place)));
    let broken = |error: tokio::task::JoinError| StiError::Ours(format!("the writing broke down: {error}"));
    let ended = interrupts.unless(async { (&mut copying).await.map_err(broken) }).await;
    if let Err(StiError::Interrupted { .. }) = ended {
        is_wanted.store(false, Ordering::Relaxed);
        let _removed = copying.await;
    }
    ended?
}

fn tell(command: &BuildCommand, written: &AsDockerfile, place: &Place, output: &Output) {
    let build = build_command(command, written, place);
    if output.json {
        let (file, context) = (place.shown_file(), place.shown_directory());
        let json = json!({"dockerfile": file, "context": context, "build": build, "notes": written.rendered.notes});
        print_json(&json.to_string());
    } else if output.quiet {
        print_line(&place.shown_file());
    } else {
        print_line(&build.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" "));
    }
}

/// What builds it, by Docker's own words, which Podman and Buildah share.
fn build_command(command: &BuildCommand, written: &AsDockerfile, place: &Place) -> Vec<String> {
    let flags = written.rendered.flags.iter().flat_map(|flag| flag.split(' ')).map(str::to_owned);
    let before = ["docker", "build"].map(str::to_owned).into_iter().chain(flags);
    let tag = ["--tag".to_owned(), command.what.tag.clone()];
    before.chain(tag).chain(["--file".to_owned(), place.shown_file(), place.shown_directory()]).collect()
}

/// A word as a shell takes it.
fn shell_word(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@:=,".contains(&byte);
    if word.bytes().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

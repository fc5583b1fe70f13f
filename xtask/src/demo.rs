//! `cargo xtask demo`: from a fresh clone to a site that is served, edited and served again, with nothing pulled.

mod repository;
mod traces;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use sti_test_engine::Engine;

use crate::{
    commands::{self, build_sti, command, root, run, run_and_hear, target_directory},
    example::{self, BUILDER, LABEL},
    page::{self, Served},
    targets,
};

use traces::Traces;

/// The name of the image that the demo builds.
const SITE: &str = "sti-demo-site";

/// The name of the container that serves it.
const CONTAINER: &str = "sti-demo";

/// Where the edited source is, below the target directory.
const COPY: &str = "demo/site";

/// What the demo writes under the front page before it builds again.
const NEWS: &str = "\n## News\n\nThe bucket under the seat has been replaced.\n";

/// What becomes of the builder image in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builder {
    /// It goes with everything else.
    Removed,
    /// It stays, for commands typed by hand.
    Kept,
}

/// Shows the whole way. Fails if anything is not as it should be, and cleans up in any case.
pub(crate) fn demo(builder: Builder) -> Result<()> {
    let engine = Engine::of_environment();
    ensure!(engine.answers(), "no engine answers at {}: start Docker or Podman, or set DOCKER_HOST", engine.url());
    say("the targets, the program and the example's builder image");
    targets::add_missing()?;
    run(build_sti())?;
    let traces = Traces::of(&engine, builder)?;
    example::make(&engine)?;
    println!("made the image {BUILDER} (`cargo xtask example-image` does only this)");

    say("a first build");
    build("examples/site")?;
    let first = show_page(&engine)?;
    ensure!(first.contains("<h1>The harbour library</h1>"), "the page is not the one of examples/site");

    say("an edit, and a build that reuses what did not change");
    let edited = edited_copy()?;
    let heard = build(&below_root(&edited))?;
    ensure!(heard.contains("2 reused, 1 rendered"), "the second build should have reused two pages of three");
    let second = show_page(&engine)?;
    ensure!(second.contains("<h2>News</h2>") && !first.contains("<h2>News</h2>"), "the page does not show the edit");

    say("the same from a git address, by a tag");
    build(&format!("{}#{}", repository::serve(&edited)?, repository::TAG))?;
    let third = show_page(&engine)?;
    ensure!(third == second, "the page from the repository is not the one from the directory");
    show_origin(&engine)?;

    say("all of it removed again");
    remove_copy()?;
    repository::remove()?;
    traces.remove()?;
    println!("\nthe demo is done; to try it by hand, `cargo xtask example-image` makes the builder image again");
    Ok(())
}

fn say(what: &str) {
    println!("\n=== {what}");
}

fn build(source: &str) -> Result<String> {
    let sti = target_directory().join("debug/sti");
    run_and_hear(command(sti, ["build", source, BUILDER, SITE, "--strategy", "commit"]))
}

/// A path as it is typed at the top of the repository.
fn below_root(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Shows where the product says that it came from.
fn show_origin(engine: &Engine) -> Result<()> {
    commands::show(&command("docker", ["image", "inspect", "--format", "{{json .Config.Labels}}", SITE]));
    let labels = engine.get(&format!("/images/{SITE}/json"))?["Config"]["Labels"].clone();
    for name in ["source", "revision"] {
        let name = format!("org.opencontainers.image.{name}");
        let value = labels[&name].as_str().with_context(|| format!("the product has no label {name}"))?;
        println!("    {name}={value}");
    }
    Ok(())
}

/// Starts the product, fetches its front page, prints it, removes the container.
fn show_page(engine: &Engine) -> Result<String> {
    commands::show(&command("docker", ["run", "--detach", "--name", CONTAINER, "--publish", "127.0.0.1::8080", SITE]));
    let bindings = json!({ "8080/tcp": [{ "HostIp": "127.0.0.1", "HostPort": "" }] });
    let request = json!({ "Image": SITE, "HostConfig": { "PortBindings": bindings }, "Labels": { LABEL: "1" } });
    let id = engine.create_named_container(CONTAINER, &request)?;
    engine.post(&format!("/containers/{id}/start"), &json!(null))?;
    let served = Served::by(engine, &id)?;
    commands::show(&command("docker", ["port", CONTAINER, "8080"]));
    println!("    {}", served.address);
    commands::show(&command("curl", [format!("http://{}/", served.address)]));
    for line in page::readable(&served.page) {
        println!("    {line}");
    }
    commands::show(&command("docker", ["rm", "--force", CONTAINER]));
    engine.remove_container(&id)?;
    Ok(served.page)
}

/// Copies the example's source below the target directory and edits the front page there.
fn edited_copy() -> Result<PathBuf> {
    let copy = target_directory().join(COPY);
    remove_copy()?;
    commands::show(&command("mkdir", ["-p", "target/demo"]));
    commands::show(&command("cp", ["-r", "examples/site", "target/demo/site"]));
    copy_directory(&root().join("examples/site"), &copy)?;
    let page = copy.join("index.md");
    println!("\n$ printf '{}' >> target/demo/site/index.md", NEWS.replace('\n', "\\n"));
    let text = fs::read_to_string(&page).with_context(|| page.display().to_string())?;
    fs::write(&page, text + NEWS)?;
    Ok(copy)
}

fn remove_copy() -> Result<()> {
    let copy = target_directory().join(COPY);
    if copy.is_dir() { Ok(fs::remove_dir_all(copy)?) } else { Ok(()) }
}

fn copy_directory(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_directory(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

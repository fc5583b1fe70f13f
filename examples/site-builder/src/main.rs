//! A builder image in one program: called `prepare` it renders Markdown to a site, called `save-artifacts` it hands its cache on,
//! called `run` it serves the site. The three names are all that the contract asks of an image; no shell is needed.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it stands alone inside a container, where the whole file system and the output are its own"
)]

mod artifacts;
mod page;
mod prepare;
mod serve;

use std::{env, error::Error, path::Path, process::ExitCode};

/// Why the image's work could not be done.
type Failure = Box<dyn Error>;

fn main() -> ExitCode {
    let called = env::args().next().unwrap_or_default();
    let name = Path::new(&called).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let done = match name.as_str() {
        "prepare" => {
            prepare::prepare(Path::new("/tmp/src"), Path::new("/tmp/artifacts"), Path::new("/srv/site"), Path::new("/srv/cache"))
        }
        "save-artifacts" => artifacts::save(Path::new("/srv/cache"), Path::new("/tmp/artifacts")),
        "run" => serve::serve(Path::new("/srv/site"), &env::var("PORT").unwrap_or_else(|_| "8080".to_owned())),
        other => Err(format!("called as `{other}`; this program is prepare, save-artifacts and run").into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{name}: {failure}");
            ExitCode::FAILURE
        }
    }
}

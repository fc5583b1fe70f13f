//! The targets that are built for besides the machine's own: WebAssembly for plugins, musl for programs that run in empty images.

use std::{env, path::Path, process::Command};

use anyhow::{Context, Result};

use crate::commands;

/// What plugins are built for.
pub(crate) const WASM: &str = "wasm32-wasip2";

/// What programs are built for that run in an image without a C library.
pub(crate) fn musl() -> String {
    format!("{}-unknown-linux-musl", env::consts::ARCH)
}

/// Adds the targets that this Rust does not have yet.
pub(crate) fn add_missing() -> Result<()> {
    let answer = Command::new("rustc")
        .args(["--print", "sysroot"])
        .current_dir(commands::root())
        .output()
        .context("rustc cannot be started")?;
    let sysroot = String::from_utf8(answer.stdout)?;
    let libraries = Path::new(sysroot.trim()).join("lib/rustlib");
    let wanted = [WASM.to_owned(), musl()];
    let missing = wanted.iter().filter(|target| !libraries.join(target).is_dir()).collect::<Vec<_>>();
    if missing.is_empty() {
        return Ok(());
    }
    let add = ["target", "add"].into_iter().chain(missing.into_iter().map(String::as_str));
    commands::run(commands::command("rustup", add))
        .context("the targets can be added by rustup only; without it, install them as your Rust was installed")
}

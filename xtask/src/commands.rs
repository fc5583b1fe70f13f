//! Commands that are shown as they can be typed, run, and heard.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{Sender, channel},
    thread,
};

use anyhow::{Context, Result, ensure};

/// The top of the repository.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// Where cargo puts what it builds.
pub(crate) fn target_directory() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |directory| root().join(directory))
}

/// A command at the top of the repository.
pub(crate) fn command<A: AsRef<OsStr>>(program: impl AsRef<OsStr>, arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// `cargo`, the one that runs this tool.
pub(crate) fn cargo<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = command(cargo, arguments);
    // What cargo told this tool about itself is not meant for another build: packages would look changed to it.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_PKG_")) {
        command.env_remove(name);
    }
    command
}

/// The call that builds `target/debug/sti`. Beside a test, whose dependencies decide features of others: so the crates are compiled once
/// for the program and all tests.
pub(crate) fn build_sti() -> Command {
    cargo(["build", "--workspace", "--bin", "sti", "--test", "lab"])
}

/// Prints a command as it can be typed at the top of the repository.
pub(crate) fn show(command: &Command) {
    println!("\n$ {}", typed(command));
}

/// Shows a command, runs it with the terminal as its own, and fails unless it succeeds.
pub(crate) fn run(command: Command) -> Result<()> {
    show(&command);
    let text = typed(&command);
    let status = status(command)?;
    ensure!(status.success(), "`{text}` failed with {status}");
    Ok(())
}

/// Runs a command with the terminal as its own.
pub(crate) fn status(mut command: Command) -> Result<ExitStatus> {
    let text = typed(&command);
    command.status().with_context(|| format!("`{text}` cannot be started"))
}

/// Shows a command, runs it, prints its lines as they come and answers them; fails unless it succeeds.
pub(crate) fn run_and_hear(mut command: Command) -> Result<String> {
    show(&command);
    let text = typed(&command);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (sender, lines) = channel();
    hear(child.stdout.take(), sender.clone());
    hear(child.stderr.take(), sender);
    let mut heard = String::new();
    for line in lines {
        println!("{line}");
        heard.push_str(&line);
        heard.push('\n');
    }
    let status = child.wait()?;
    ensure!(status.success(), "`{text}` failed with {status}");
    Ok(heard)
}

fn hear(pipe: Option<impl Read + Send + 'static>, sender: Sender<String>) {
    let Some(pipe) = pipe else { return };
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            // Nobody listens any more only when this tool itself has failed.
            let _ = sender.send(line);
        }
    });
}

/// A command as it can be typed: paths below the top of the repository are relative to it.
fn typed(command: &Command) -> String {
    let root = format!("{}/", root().display());
    let variables = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={}", name.to_string_lossy(), quoted(&value?.to_string_lossy()))));
    let program = Path::new(command.get_program());
    // Cargo calls itself by the whole path of one toolchain.
    let program = if program.file_stem() == Some(OsStr::new("cargo")) { "cargo".into() } else { program.to_string_lossy() };
    let arguments = command.get_args().map(OsStr::to_string_lossy);
    let words = std::iter::once(program).chain(arguments).map(|word| quoted(word.strip_prefix(&root).unwrap_or(&word)));
    variables.chain(words).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,@%+".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_can_be_typed() {
        let sti = root().join("target/debug/sti");
        let mut shown = command(sti, ["build", "two words", "it's", ""]);
        shown.env("A", "b c");
        assert_eq!(typed(&shown), r"A='b c' target/debug/sti build 'two words' 'it'\''s' ''");
    }
}

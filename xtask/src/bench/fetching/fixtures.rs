//! What is fetched: a repository and archives of one project each, made once and kept for the next time.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use super::super::sources::noise;

/// Files and bytes of the repository: 5,000 files, 50 MB.
const REPOSITORY: (u64, usize) = (5_000, 10_000);
/// Of the archives: 14,000 files, 180 MB.
const ARCHIVE: (u64, usize) = (14_000, 12_900);
/// How many files lie in a directory.
const IN_A_DIRECTORY: u64 = 50;

/// Directories and files.
pub(super) struct Fixtures {
    /// Holds `repository.git`, and the archives as `project.tar.gz` and so on.
    pub(super) top: PathBuf,
    /// A repository with its files.
    pub(super) work_tree: PathBuf,
}

impl Fixtures {
    /// Makes what is missing below a folder.
    pub(super) fn make(folder: &Path) -> Result<Self> {
        let top = folder.join("fixtures");
        let made = Self { work_tree: top.join("work-tree"), top };
        if made.top.is_dir() {
            return Ok(made);
        }
        // Under another name until it is whole: a run that was interrupted must not leave half of it for the next.
        let unfinished = folder.join("unfinished");
        if unfinished.is_dir() {
            fs::remove_dir_all(&unfinished)?;
        }
        println!("makes a repository and archives, once");
        write_project(&unfinished.join("work-tree"), REPOSITORY)?;
        for arguments in [&["init", "--quiet", "-b", "main"][..], &["add", "--all"], &["commit", "--quiet", "--message", "first"]]
        {
            run(&unfinished.join("work-tree"), "git", arguments)?;
        }
        run(&unfinished, "git", &["clone", "--quiet", "--bare", "--no-local", "work-tree", "repository.git"])?;
        write_project(&unfinished.join("project"), ARCHIVE)?;
        run(&unfinished, "tar", &["-czf", "project.tar.gz", "project"])?;
        run(&unfinished, "tar", &["--zstd", "-cf", "project.tar.zst", "project"])?;
        run(&unfinished, "tar", &["-I", "xz -T2", "-cf", "project.tar.xz", "project"])?;
        run(&unfinished, "zip", &["-qr", "project.zip", "project"])?;
        fs::rename(unfinished, &made.top)?;
        Ok(made)
    }
}

/// Files as projects have them: most are text, every eighth does not compress.
fn write_project(top: &Path, (files, bytes): (u64, usize)) -> Result<()> {
    for number in 0..files {
        let directory = top.join(format!("part-{}/folder-{}", number / IN_A_DIRECTORY % 7, number / IN_A_DIRECTORY));
        if number % IN_A_DIRECTORY == 0 {
            fs::create_dir_all(&directory)?;
        }
        // Sizes from a tenth to nearly twice the mean.
        let size = bytes / 10 + (bytes * 9 / 5) * usize::try_from(number * 37 % 101)? / 101;
        let content = if number % 8 == 0 { noise(size, number) } else { prose(size, number).into_bytes() };
        fs::write(directory.join(format!("file-{number}.txt")), content)?;
    }
    Ok(())
}

/// Lines of words and numbers, which compress about as well as source text does.
fn prose(bytes: usize, seed: u64) -> String {
    const WORDS: &[&str] = &[
        "let", "fn", "return", "value", "self", "if", "else", "match", "for", "in", "use", "struct", "impl", "vector", "index",
        "length", "buffer", "result", "error", "option", "string", "path", "file", "read", "write", "node", "tree", "parse",
        "token", "state",
    ];
    let mut text = String::with_capacity(bytes + 32);
    for pair in noise(bytes, seed).chunks_exact(2) {
        match pair[1] {
            // Writing to a string cannot fail.
            0..16 => drop(write!(text, "{:x} ", u16::from(pair[0]) * 251)),
            16..44 => text.push_str("\n    "),
            _ => {
                text.push_str(WORDS[usize::from(pair[0]) % WORDS.len()]);
                text.push_str([" ", "(", "_", ".", ") ", ", "][usize::from(pair[1] % 6)]);
            }
        }
        if text.len() >= bytes {
            break;
        }
    }
    text.truncate(bytes);
    text
}

fn run(directory: &Path, program: &str, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(program);
    command.current_dir(directory).args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "bench").env(format!("GIT_{who}_EMAIL"), "bench@example.com");
    }
    let status = command.status().with_context(|| format!("`{program}` is needed to make what is measured"))?;
    ensure!(status.success(), "{program} {} failed with {status}", arguments.join(" "));
    Ok(())
}

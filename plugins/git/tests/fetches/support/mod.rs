//! Real repositories made by git in temporary directories, and real services of git that answer for them.

#![expect(clippy::disallowed_methods, reason = "tests make the directories that git works in")]

pub(crate) mod packs;
pub(crate) mod servers;

use std::{
    fs,
    io::Write,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use sti_git::Git;
use sti_plugin::testing::{AddressBuilder, Fetched};
use tempfile::TempDir;

/// The host of all repositories here.
pub(crate) const HOST: &str = "git.example";

/// A place for repositories, served under their names.
pub(crate) struct Site {
    root: TempDir,
}

/// A repository with a work tree, in a site.
pub(crate) struct Repository {
    pub(crate) path: PathBuf,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self { root: TempDir::new().expect("a temporary directory") }
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// Makes an empty repository, served as `http://git.example/NAME/.git`.
    pub(crate) fn repository(&self, name: &str) -> Repository {
        let path = self.root().join(name);
        fs::create_dir_all(&path).expect("a directory of our own");
        let repository = Repository { path };
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        repository
    }

    /// An address of this site, whose server is git's own.
    pub(crate) fn address(&self, name: &str) -> AddressBuilder {
        let root = self.root().to_owned();
        AddressBuilder::new(&format!("http://{HOST}/{name}/.git")).web(move |request| servers::http_backend(&root, request))
    }

    pub(crate) fn fetch(&self, name: &str) -> Fetched {
        self.address(name).fetch::<Git>()
    }

    pub(crate) fn fetch_reference(&self, name: &str, reference: &str) -> Fetched {
        self.address(name).reference(reference).fetch::<Git>()
    }
}

impl Repository {
    /// Runs git, and answers what it said.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.git_with(arguments, b"")
    }

    /// As [`Repository::git`], with something on standard input.
    pub(crate) fn git_with(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut child = git(&self.path).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("git runs");
        child.stdin.take().expect("it was piped").write_all(input).expect("git reads");
        let output = child.wait_with_output().expect("git ends");
        assert!(output.status.success(), "git {arguments:?}");
        String::from_utf8(output.stdout).expect("git says text").trim().to_owned()
    }

    pub(crate) fn file(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path.join(path);
        fs::create_dir_all(path.parent().expect("it lies in the repository")).expect("a directory of our own");
        fs::write(path, content).expect("a file of our own");
        self
    }

    pub(crate) fn executable(&self, path: &str, content: &str) -> &Self {
        self.file(path, content);
        fs::set_permissions(self.path.join(path), fs::Permissions::from_mode(0o755)).expect("a file of our own");
        self
    }

    pub(crate) fn link(&self, path: &str, target: &str) -> &Self {
        symlink(target, self.path.join(path)).expect("a link of our own");
        self
    }

    /// Commits everything, and answers with the identifier.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Writes an object as it is, however wrong, and answers with the identifier.
    pub(crate) fn object(&self, kind: &str, content: &[u8]) -> String {
        self.git_with(&["hash-object", "-w", "--literally", "-t", kind, "--stdin"], content)
    }

    /// Makes a tree of entries `(mode, name, identifier)`, however wrong.
    pub(crate) fn tree(&self, entries: &[(&str, &[u8], &str)]) -> String {
        let mut content = Vec::new();
        for (mode, name, id) in entries {
            content.extend([mode.as_bytes(), b" ", name, b"\0"].concat());
            content.extend((0..40).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).expect("an identifier")));
        }
        self.object("tree", &content)
    }

    /// Lets `main` point at a commit of a tree.
    pub(crate) fn commit_tree(&self, tree: &str) -> String {
        let who = "a <a@example> 1700000000 +0000";
        let commit = self.object("commit", format!("tree {tree}\nauthor {who}\ncommitter {who}\n\nm\n").as_bytes());
        fs::write(self.path.join(".git/refs/heads/main"), format!("{commit}\n")).expect("a file of our own");
        commit
    }
}

/// A command of git that knows nothing of whoever runs the tests.
pub(crate) fn git(directory: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(directory).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let settings = [("HOME", "/nonexistent"), ("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_TERMINAL_PROMPT", "0")];
    let people =
        ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"].map(|name| (name, "somebody"));
    let times = ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"].map(|name| (name, "1700000000 +0000"));
    // A server of another user's repositories asks for this; ours are our own.
    let trust = [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "safe.directory"), ("GIT_CONFIG_VALUE_0", "*")];
    command.envs(settings).envs(people).envs(times).envs(trust);
    command
}

/// All files of what was fetched: path, kind, and content where it is short text.
pub(crate) fn listing(fetched: &Fetched) -> String {
    let tree = fetched.expect_tree().open();
    let mut lines = Vec::new();
    for path in tree.find("**", 10_000).expect("a glob") {
        let entry = tree.look_at(&path).expect("a path").expect("an entry");
        match entry.kind {
            sti_plugin::EntryKind::Directory => {}
            sti_plugin::EntryKind::Symlink => lines.push(format!("{path} -> {}", tree.link_target(&path).expect("a link"))),
            sti_plugin::EntryKind::File => {
                let content = tree.read(&path, 1 << 24).expect("a file");
                let shown =
                    if content.len() > 100 { format!("{} bytes", content.len()) } else { content.escape_ascii().to_string() };
                lines.push(format!("{path}{} = {shown}", if entry.executable { " (executable)" } else { "" }));
            }
        }
    }
    lines.sort();
    lines.join("\n")
}

/// Holds a problem against its code and words that it must say.
pub(crate) fn check_problem(fetched: &Fetched, code: &str, words: &[&str]) {
    let problem = fetched.expect_problem();
    assert_eq!(problem.code(), code, "{problem:?}");
    let told = format!("{} {}", problem.message(), problem.hinted().unwrap_or_default());
    for word in words {
        assert!(told.contains(word), "nothing of `{word}` in {problem:?}");
    }
}

//! Describes a builder image: which scripts it has, what each of them does, whose it is.

use std::sync::Arc;

use sti_test_engine::{Entry, Image};

/// A builder image whose scripts are the fixture by other names. What a script does is a list of the fixture's verbs, one a line
/// (`tests/fixture/src/main.rs` has the table).
#[derive(Clone, Debug, Default)]
pub struct Builder {
    /// Where each lies, and what it does.
    scripts: Vec<(String, String)>,
    owner: (u64, u64),
    entries: Vec<Entry>,
    accounts: Vec<(String, u64, u64)>,
    changes: Vec<String>,
}

impl Builder {
    /// An image with nothing but `/tmp`, `/usr/bin/fixture`, and `/app`, which belongs to the image's user.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives it a script `prepare`.
    #[must_use]
    pub fn prepare(self, verbs: &str) -> Self {
        self.script("prepare", verbs)
    }

    /// Gives it a script `run`.
    #[must_use]
    pub fn run(self, verbs: &str) -> Self {
        self.script("run", verbs)
    }

    /// Gives it a script `save-artifacts`.
    #[must_use]
    pub fn save(self, verbs: &str) -> Self {
        self.script("save-artifacts", verbs)
    }

    /// Gives it a script of any name in `/usr/bin`, instead of one that had the name before.
    #[must_use]
    pub fn script(self, name: &str, verbs: &str) -> Self {
        self.script_at(format!("/usr/bin/{name}"), verbs)
    }

    /// The label of the contract `assemble`, and where it leads.
    #[must_use]
    pub fn by_assemble(self) -> Self {
        self.config(&format!("LABEL io.openshift.s2i.scripts-url=image://{S2I}"))
    }

    /// Gives it a script of the contract `assemble`, where [`Builder::by_assemble`] says that they are.
    #[must_use]
    pub fn s2i(self, name: &str, verbs: &str) -> Self {
        self.script_at(format!("{S2I}/{name}"), verbs)
    }

    fn script_at(mut self, path: String, verbs: &str) -> Self {
        self.scripts.retain(|(other, _)| *other != path);
        self.scripts.push((path, verbs.to_owned()));
        self
    }

    /// Sets the image's user: a number, `UID:GID`, or a name that [`Builder::account`] was told before.
    #[must_use]
    pub fn user(mut self, user: &str) -> Self {
        self.owner = self.owner_of(user);
        self.changes.push(format!("USER {user}"));
        self
    }

    /// Makes a user known in `/etc/passwd` and a group of the same name in `/etc/group`.
    #[must_use]
    pub fn account(mut self, name: &str, uid: u64, gid: u64) -> Self {
        self.accounts.push((name.to_owned(), uid, gid));
        self
    }

    /// Adds to the configuration, as a Dockerfile's instruction: `ENV A=b`, `ENTRYPOINT ["/usr/bin/entry"]`, ….
    #[must_use]
    pub fn config(mut self, instruction: &str) -> Self {
        self.changes.push(instruction.to_owned());
        self
    }

    /// Puts a file into it; the directory above must be `/`, `/etc`, `/usr/bin`, `/tmp`, `/app` or one that was put in before.
    #[must_use]
    pub fn file(mut self, path: &str, mode: u32, text: &str) -> Self {
        self.entries.push(Entry::File { path: path.to_owned(), mode, bytes: text.as_bytes().to_vec() });
        self
    }

    /// Puts a directory of the image's user into it.
    #[must_use]
    pub fn directory(mut self, path: &str, mode: u32) -> Self {
        self.entries.push(Entry::Directory { path: path.to_owned(), mode, owner: self.owner });
        self
    }

    /// Puts a symbolic link into it.
    #[must_use]
    pub fn link(mut self, path: &str, to: &str) -> Self {
        self.entries.push(Entry::Link { path: path.to_owned(), to: to.to_owned() });
        self
    }

    /// The image, with this program in it and this label on it.
    pub(crate) fn image(&self, fixture: &Arc<[u8]>, label: &str) -> Image {
        let mut entries = skeleton(self.owner);
        entries.push(Entry::File { path: FIXTURE.to_owned(), mode: 0o755, bytes: fixture.to_vec() });
        for (path, verbs) in &self.scripts {
            let name = path.rsplit('/').next().unwrap_or(path);
            entries.push(Entry::HardLink { path: path.clone(), to: FIXTURE.to_owned() });
            entries.push(Entry::File { path: format!("/etc/fixture/{name}"), mode: 0o644, bytes: verbs.as_bytes().to_vec() });
        }
        entries.extend(self.account_files());
        entries.extend(self.entries.iter().cloned());
        let changes = self.changes.iter().cloned().chain([format!("LABEL {label}")]).collect();
        Image { entries, changes }
    }

    fn owner_of(&self, user: &str) -> (u64, u64) {
        let (user, group) = user.split_once(':').map_or((user, None), |(user, group)| (user, Some(group)));
        let account = self.accounts.iter().find(|(name, ..)| name == user);
        let uid = account.map_or_else(|| user.parse().expect("an account or a number"), |(_, uid, _)| *uid);
        let gid = group.and_then(|group| group.parse().ok()).or(account.map(|(.., gid)| *gid)).unwrap_or(0);
        (uid, gid)
    }

    fn account_files(&self) -> Vec<Entry> {
        if self.accounts.is_empty() {
            return Vec::new();
        }
        let passwd = self.accounts.iter().map(|(name, uid, gid)| format!("{name}:x:{uid}:{gid}::/:/none\n"));
        let group = self.accounts.iter().map(|(name, _, gid)| format!("{name}:x:{gid}:\n"));
        let file = |path: &str, text: String| Entry::File { path: path.to_owned(), mode: 0o644, bytes: text.into_bytes() };
        vec![file("/etc/passwd", passwd.collect()), file("/etc/group", group.collect())]
    }
}

const FIXTURE: &str = "/usr/bin/fixture";
/// Where images by the contract `assemble` have their scripts.
const S2I: &str = "/usr/libexec/s2i";

fn skeleton(owner: (u64, u64)) -> Vec<Entry> {
    let directory = |path: &str, mode, owner| Entry::Directory { path: path.to_owned(), mode, owner };
    vec![
        directory("/tmp", 0o1777, (0, 0)),
        directory("/usr", 0o755, (0, 0)),
        directory("/usr/bin", 0o755, (0, 0)),
        directory("/usr/libexec", 0o755, (0, 0)),
        directory(S2I, 0o755, (0, 0)),
        directory("/etc", 0o755, (0, 0)),
        directory("/etc/fixture", 0o755, (0, 0)),
        directory("/app", 0o755, owner),
    ]
}

//! An image of the engine in memory: files, and what it says of itself.

use sti_core::{ImageFacts, ImageId, Reference, Variable, plan::ImageChanges};

use super::{
    files::{Files, Node},
    fixture, merge,
};

/// An image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FakeImage {
    /// What is in it.
    pub files: Files,
    /// Empty where there is none.
    pub entrypoint: Vec<String>,
    /// Empty where there is none.
    pub command: Vec<String>,
    /// As in a configuration: `""` is root.
    pub user: String,
    /// As in a configuration: `""` is `/`.
    pub working_directory: String,
    /// By name.
    pub environment: Vec<VariablePair>,
    /// By name.
    pub labels: Vec<VariablePair>,
    /// Such as `8080/tcp`.
    pub exposed_ports: Vec<String>,
    /// Tells apart what was made by running something twice.
    pub(super) made: u64,
}

/// A name and its value.
pub type VariablePair = (String, String);

impl FakeImage {
    /// An image with nothing in it.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The image that the cases begin with: `/tmp` for everybody, `/app` for its user, and the program `/usr/bin/fixture`.
    pub fn fixture(user: &str) -> Self {
        let mut image = Self { user: user.to_owned(), ..Self::default() };
        image.files.put(b"tmp", Node::directory(0o1777));
        image.files.put(b"etc/passwd", Node::file("app:x:1001:1002::/home/app:/none\n", 0o644));
        image.files.put(b"etc/group", Node::file("app:x:1002:\n", 0o644));
        image.files.put(b"usr/bin/fixture", Node::file(fixture::MARK, 0o755));
        let (uid, gid) = super::users::resolve(&image.files, user).map_or((0, 0), |identity| (identity.uid, identity.gid));
        image.files.put(b"app", Node::directory(0o755).owned(uid, gid));
        image
    }

    /// The same image with one more file at an absolute path.
    #[must_use]
    pub fn with_file(mut self, path: &str, text: &str, mode: u32) -> Self {
        self.files.put(path.trim_start_matches('/').as_bytes(), Node::file(text, mode));
        self
    }

    /// The same image with a script: the fixture under another name, which carries out the verbs, one a line.
    #[must_use]
    pub fn with_script(self, name: &str, verbs: &str) -> Self {
        self.with_file(&format!("/usr/bin/{name}"), fixture::MARK, 0o755).with_file(&format!("/etc/fixture/{name}"), verbs, 0o644)
    }

    /// Adds what a step says of the image that it makes.
    pub(super) fn change(&mut self, changes: &ImageChanges) {
        let replace = |own: &mut Vec<String>, new: &Option<Vec<String>>| own.clone_from(new.as_ref().unwrap_or(&own.clone()));
        replace(&mut self.entrypoint, &changes.entrypoint);
        replace(&mut self.command, &changes.command);
        self.add_environment(&changes.environment);
        let mut labels = variables(&self.labels);
        merge(&mut labels, &changes.labels);
        self.labels = pairs(labels);
        self.user = changes.user.clone().unwrap_or_else(|| self.user.clone());
        self.working_directory = changes.working_directory.clone().unwrap_or_else(|| self.working_directory.clone());
        self.exposed_ports.extend(changes.expose.iter().cloned());
        self.exposed_ports.sort();
        self.exposed_ports.dedup();
    }

    pub(super) fn add_environment(&mut self, added: &[Variable]) {
        let mut environment = variables(&self.environment);
        merge(&mut environment, added);
        self.environment = pairs(environment);
    }

    pub(super) fn facts(&self, id: &ImageId, reference: &Reference) -> ImageFacts {
        let mut labels = variables(&self.labels);
        labels.sort_by(|left, right| left.name.cmp(&right.name));
        ImageFacts {
            reference: reference.clone(),
            id: id.clone(),
            platform: super::answers::PLATFORM.to_owned(),
            entrypoint: self.entrypoint.clone(),
            command: self.command.clone(),
            user: self.user.clone(),
            working_directory: self.working_directory.clone(),
            environment: variables(&self.environment),
            labels,
            exposed_ports: self.exposed_ports.clone(),
            volumes: Vec::new(),
            triggers: Vec::new(),
        }
    }
}

fn variables(pairs: &[VariablePair]) -> Vec<Variable> {
    pairs.iter().map(|(name, value)| Variable::new(name, value)).collect()
}

fn pairs(variables: Vec<Variable>) -> Vec<VariablePair> {
    variables.into_iter().map(|variable| (variable.name, variable.value)).collect()
}

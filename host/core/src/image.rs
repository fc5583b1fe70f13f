//! What is known of a container image, and of what lies in it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Reference, Variable};

/// The identity of an image's content: `sha256:…` of its configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ImageId(pub String);

impl ImageId {
    /// The whole identifier.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve hexadecimal digits, as lists show them.
    pub fn short(&self) -> &str {
        let digits = self.0.strip_prefix("sha256:").unwrap_or(&self.0);
        digits.get(..12).unwrap_or(digits)
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// When an image is fetched from its registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pull {
    /// Only where the engine does not hold it.
    Missing,
    /// Each time.
    Always,
    /// Never: no registry is contacted.
    Never,
}

/// An image as its configuration describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFacts {
    /// The name under which it was asked for.
    pub reference: Reference,
    /// What that name meant when it was asked.
    pub id: ImageId,
    /// Such as `linux/amd64`.
    pub platform: String,
    /// Empty where there is none.
    pub entrypoint: Vec<String>,
    /// Empty where there is none.
    pub command: Vec<String>,
    /// As written; `""` means root.
    pub user: String,
    /// As written; `""` means `/`.
    pub working_directory: String,
    /// In the order of the configuration.
    pub environment: Vec<Variable>,
    /// By name.
    pub labels: Vec<Variable>,
    /// Such as `8080/tcp`, sorted.
    pub exposed_ports: Vec<String>,
    /// Mount points of declared volumes, sorted.
    pub volumes: Vec<String>,
    /// `ONBUILD` instructions, as written.
    pub triggers: Vec<String>,
}

impl ImageFacts {
    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|label| label.name == name).map(|label| label.value.as_str())
    }
}

/// What kind of thing lies at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PathKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link that leads nowhere.
    Symlink,
    /// A device, FIFO or socket.
    Other,
}

/// What lies at a path inside an image, links followed inside the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathFact {
    /// As it was asked for.
    pub path: String,
    /// What lies there.
    pub kind: PathKind,
    /// Permission, set-id and sticky bits, as in `st_mode`.
    pub mode: u32,
    /// The owner; 0 where the engine does not tell.
    pub uid: u32,
    /// The group; 0 where the engine does not tell.
    pub gid: u32,
    /// Bytes of a file.
    pub size: u64,
}

/// Who a container of an image runs as, names resolved inside the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The numeric user.
    pub uid: u32,
    /// The numeric primary group.
    pub gid: u32,
    /// As written in the configuration; `""` means root.
    pub written: String,
    /// The home directory, where the image's `/etc/passwd` names one.
    pub home: Option<String>,
}

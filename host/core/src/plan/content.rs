//! Content: files that a step can be given. Only a description; the bytes stay with the host or the engine.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::StepId;

/// The number of a content within its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ContentId(pub u32);

/// Files, by where they come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "from")]
pub enum Content {
    /// The source tree.
    Source,
    /// An empty directory.
    Empty,
    /// Files that the strategy wrote itself.
    Files {
        /// By path.
        files: Vec<PlanFile>,
    },
    /// What lies at `path` when the command of the run step `step` has ended: a directory's inside, or one file.
    Capture {
        /// A run step.
        step: StepId,
        /// Absolute, normalised.
        path: String,
    },
    /// The standard output of the run step `step`, read as a tar and unpacked.
    Output {
        /// A run step.
        step: StepId,
    },
    /// Files at `path` of the image that `step` made.
    ImageFiles {
        /// A step that makes an image.
        step: StepId,
        /// Absolute, normalised.
        path: String,
    },
    /// A directory that is kept from build to build.
    Cache {
        /// As granted.
        name: String,
    },
    /// A secret that the user named; only ever mounted.
    Secret {
        /// As granted.
        name: String,
    },
    /// A directory or file below another content.
    Part {
        /// An earlier content.
        of: ContentId,
        /// Relative, normalised.
        path: String,
    },
    /// Those entries of a directory that a step leaves whose names match; only ever copied.
    Matching {
        /// An earlier content: what a step leaves, or a part of it.
        of: ContentId,
        /// As [`Names::of`](super::Names::of) reads it.
        glob: String,
    },
}

/// A file that a strategy wrote itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFile {
    /// Relative, normalised.
    pub path: String,
    /// The nine permission bits.
    pub mode: u32,
    /// In JSON `text:…` where it is UTF-8, else `base64:…`.
    #[serde(serialize_with = "write_bytes", deserialize_with = "read_bytes")]
    pub bytes: Vec<u8>,
}

const TEXT: &str = "text:";
const BASE64: &str = "base64:";

fn write_bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    match std::str::from_utf8(bytes) {
        Ok(text) => serializer.serialize_str(&format!("{TEXT}{text}")),
        Err(_) => serializer.serialize_str(&format!("{BASE64}{}", STANDARD.encode(bytes))),
    }
}

fn read_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let written = String::deserialize(deserializer)?;
    if let Some(text) = written.strip_prefix(TEXT) {
        return Ok(text.as_bytes().to_vec());
    }
    let Some(encoded) = written.strip_prefix(BASE64) else {
        return Err(D::Error::custom("expected `text:…` or `base64:…`"));
    };
    STANDARD.decode(encoded).map_err(D::Error::custom)
}

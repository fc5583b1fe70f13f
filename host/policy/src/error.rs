//! Why a policy file cannot be used. Nothing is built then: a policy that is only half understood is none.

use std::path::PathBuf;

use thiserror::Error;

/// A policy file that cannot be used.
#[derive(Debug, Error)]
pub enum Error {
    /// It was named while the site decides.
    #[error("{asked} cannot be used: this site decides by `{site}`")]
    SiteDecides {
        /// `--policy FILE` or `STI_POLICY`.
        asked: &'static str,
        /// The site's file.
        site: PathBuf,
    },
    /// It cannot be opened or read.
    #[error("cannot read the policy `{file}`")]
    Unreadable {
        /// Which, as it is shown.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is a link, a directory, a FIFO, or far too large.
    #[error("the policy `{file}` is no plain file of less than 1 MiB")]
    NotPlain {
        /// Which, as it is shown.
        file: PathBuf,
    },
    /// Somebody else could change it.
    #[error("the policy `{file}` is not safe: {whose} can write `{writable}`")]
    WritableByOthers {
        /// Which, as it is shown.
        file: PathBuf,
        /// The file, or its directory.
        writable: PathBuf,
        /// `its group` or `everybody`.
        whose: &'static str,
    },
    /// Somebody else owns it.
    #[error("the policy `{file}` is not safe: `{owned}` belongs to user {owner}")]
    ForeignOwner {
        /// Which, as it is shown.
        file: PathBuf,
        /// The file, or its directory.
        owned: PathBuf,
        /// The number of its owner.
        owner: u32,
    },
    /// It is no TOML.
    #[error("{file}:{line}: {why}")]
    Syntax {
        /// Which, as it is shown.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What the parser said.
        why: String,
    },
    /// It has a key that means nothing.
    #[error("{file}:{line}: unknown key `{key}` in {section}")]
    UnknownKey {
        /// Which, as it is shown.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The key.
        key: String,
        /// Where it stands, such as `[defaults]`.
        section: String,
        /// The valid key that is near.
        nearest: Option<&'static str>,
        /// All valid keys.
        known: &'static [&'static str],
    },
    /// What is installed by a path is not there, or is something else.
    #[error("{file}:{line}: `path` leads to `{path}`, which {why}")]
    NotInstalled {
        /// Which, as it is shown.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Where it should lie.
        path: PathBuf,
        /// What is wrong, as it reads after the path.
        why: String,
        /// What to do about it.
        hint: String,
    },
    /// A value is of a wrong kind, or means nothing.
    #[error("{file}:{line}: `{key}` {why}")]
    BadValue {
        /// Which, as it is shown.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The key.
        key: String,
        /// What is wrong, as it reads after the key.
        why: String,
        /// A line that would be right.
        example: &'static str,
    },
}

impl Error {
    /// A stable identifier; both mean exit code 2.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SiteDecides { .. } => "invalid-argument",
            _ => "invalid-policy",
        }
    }

    /// Why that stops everything.
    pub fn because(&self) -> Option<String> {
        match self {
            Self::SiteDecides { .. } => Some("where a site policy exists, flags and variables do not replace it".to_owned()),
            Self::Unreadable { source, .. } => Some(source.to_string()),
            Self::NotPlain { .. } => Some("a link or a special file could be led elsewhere".to_owned()),
            Self::WritableByOthers { .. } | Self::ForeignOwner { .. } => {
                Some("who can write a policy decides what is built".to_owned())
            }
            Self::UnknownKey { known, .. } => Some(format!("the keys there are: {}", known.join(", "))),
            Self::Syntax { .. } | Self::BadValue { .. } | Self::NotInstalled { .. } => None,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::SiteDecides { asked: "STI_POLICY", .. } => Some("unset STI_POLICY".to_owned()),
            Self::SiteDecides { asked, .. } => Some(format!("leave out {asked}")),
            Self::WritableByOthers { writable, .. } => Some(format!("chmod go-w {}", writable.display())),
            Self::ForeignOwner { owned, .. } => Some(format!("chown root {}", owned.display())),
            Self::UnknownKey { nearest, .. } => nearest.map(|nearest| format!("did you mean `{nearest}`?")),
            Self::NotInstalled { hint, .. } => Some(hint.clone()),
            Self::BadValue { example, .. } => Some(format!("for example:  {example}")),
            Self::Unreadable { .. } | Self::NotPlain { .. } | Self::Syntax { .. } => None,
        }
    }
}

//! How much a fetch may bring: built in, set by a policy file, narrowed by `--limit`. And who set it, for whoever reaches it.

use std::collections::BTreeMap;
use std::time::Duration;

use sti_core::Problem;
use sti_core::tree::WriteLimits;

use super::FetchGrant;
use crate::denial::Denial;

/// One limit of a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FetchLimit {
    /// Files, directories and links together.
    Entries,
    /// Bytes of all files together.
    Bytes,
    /// Bytes of a path.
    PathBytes,
    /// Parts of a path.
    Depth,
    /// Bytes of a download.
    DownloadBytes,
    /// Seconds until the tree is there, whoever is waited for.
    TotalSeconds,
}

/// Limits, as far as somebody says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchLimits(BTreeMap<FetchLimit, u64>);

/// Who set a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetBy {
    /// Nobody said otherwise.
    BuiltIn,
    /// The command line.
    Flag,
    /// The policy file.
    File,
}

/// The limits that hold, and who set each.
#[derive(Clone, Debug)]
pub struct Settled {
    grant: FetchGrant,
    limits: Vec<(FetchLimit, u64, SetBy)>,
}

/// The codes of the problems of who reaches a limit.
const CODES: &[(&str, FetchLimit)] = &[
    ("too-many-entries", FetchLimit::Entries),
    ("too-many-bytes", FetchLimit::Bytes),
    ("path-too-long", FetchLimit::PathBytes),
    ("too-deep", FetchLimit::Depth),
    ("download-too-large", FetchLimit::DownloadBytes),
    (Settled::TOOK_TOO_LONG, FetchLimit::TotalSeconds),
];

impl FetchLimit {
    /// All of them, as they are listed.
    pub const ALL: [Self; 6] =
        [Self::Entries, Self::Bytes, Self::PathBytes, Self::Depth, Self::DownloadBytes, Self::TotalSeconds];

    /// What it is called, in a policy file and with `--limit`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Entries => "entries",
            Self::Bytes => "bytes",
            Self::PathBytes => "path-bytes",
            Self::Depth => "depth",
            Self::DownloadBytes => "download-bytes",
            Self::TotalSeconds => "total-seconds",
        }
    }

    /// The limit of that name.
    pub fn of(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|limit| limit.key() == key)
    }

    /// What holds where nobody says otherwise.
    pub fn built_in(self) -> u64 {
        let writing = WriteLimits::default();
        match self {
            Self::Entries => writing.entries,
            Self::Bytes => writing.bytes,
            Self::PathBytes => writing.path_bytes as u64,
            Self::Depth => writing.depth as u64,
            // As large as a file system on which a download is kept mostly allows.
            Self::DownloadBytes => 32 << 30,
            Self::TotalSeconds => 6 * 60 * 60,
        }
    }

    /// The largest that anybody can set: no build reads what lies deeper, and no system opens longer paths.
    pub fn most(self) -> u64 {
        match self {
            Self::PathBytes | Self::Depth => self.built_in(),
            Self::TotalSeconds => 7 * 24 * 60 * 60,
            _ => u64::MAX,
        }
    }

    /// A line of a policy file that sets it.
    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::Entries => "entries = 100000",
            Self::Bytes => "bytes = \"4 GiB\"",
            Self::PathBytes => "path-bytes = 1024",
            Self::Depth => "depth = 64",
            Self::DownloadBytes => "download-bytes = \"1 GiB\"",
            Self::TotalSeconds => "total-seconds = 600",
        }
    }
}

impl FetchLimits {
    /// What is said of a limit.
    pub fn get(&self, limit: FetchLimit) -> Option<u64> {
        self.0.get(&limit).copied()
    }

    /// Says it.
    pub fn set(&mut self, limit: FetchLimit, number: u64) {
        self.0.insert(limit, number);
    }

    /// Takes from others what these leave open.
    pub(crate) fn or(&self, others: &Self) -> Self {
        let mut all = others.clone();
        all.0.extend(&self.0);
        all
    }
}

impl FetchGrant {
    /// The limits that hold, with those that the command line asks for. More than the file grants is refused, not cut.
    pub fn settle(&self, asked: &FetchLimits) -> Result<Settled, Denial> {
        let settle = |limit: FetchLimit| match (asked.get(limit), self.rules.fetch.get(limit)) {
            (Some(asked), Some(granted)) if asked > granted => Err(self.refused_limit(limit, asked, granted)),
            (Some(asked), _) => Ok((limit, asked, SetBy::Flag)),
            (None, Some(granted)) => Ok((limit, granted, SetBy::File)),
            (None, None) => Ok((limit, limit.built_in(), SetBy::BuiltIn)),
        };
        let limits = FetchLimit::ALL.into_iter().map(settle).collect::<Result<_, _>>()?;
        Ok(Settled { grant: self.clone(), limits })
    }

    fn refused_limit(&self, limit: FetchLimit, asked: u64, granted: u64) -> Denial {
        let key = limit.key();
        let grant = self.giver.as_ref().map(|giver| giver.grants(&format!("{key} up to {granted}"))).unwrap_or_default();
        let hint = self.giver.as_ref().map(|giver| giver.line(key, &asked.to_string()));
        self.denial(format!("be given the limit `--limit {key}={asked}`"), grant, hint)
    }
}

impl Settled {
    /// The code of what took longer than it may.
    pub const TOOK_TOO_LONG: &'static str = "took-too-long";

    /// What holds for a limit.
    pub fn get(&self, limit: FetchLimit) -> u64 {
        self.of(limit).0
    }

    /// Until the tree is there.
    pub fn total(&self) -> Duration {
        Duration::from_secs(self.get(FetchLimit::TotalSeconds))
    }

    /// What the tree may hold.
    pub fn write_limits(&self) -> WriteLimits {
        let small = |limit| usize::try_from(self.get(limit)).unwrap_or(usize::MAX);
        WriteLimits {
            entries: self.get(FetchLimit::Entries),
            bytes: self.get(FetchLimit::Bytes),
            path_bytes: small(FetchLimit::PathBytes),
            depth: small(FetchLimit::Depth),
        }
    }

    /// A problem of who reached one of these limits, with who set it and how it is raised. Any other stays as it is.
    pub fn told(&self, problem: Problem) -> Problem {
        let Some((_, limit)) = CODES.iter().find(|(code, _)| *code == problem.code) else { return problem };
        let ((number, by), key) = (self.of(*limit), limit.key());
        let (who, hint) = match (&self.grant.giver, self.grant.rules.fetch.get(*limit)) {
            _ if number == limit.most() => (", and no limit goes beyond".to_owned(), None),
            (Some(giver), _) if by == SetBy::File => {
                let who = format!(", as policy `{}` says", giver.file.display());
                (who, Some(giver.line(key, "NUMBER")))
            }
            (_, None) => (said(by), Some(format!("where the source is right to need more, raise it: --limit {key}=NUMBER"))),
            (_, Some(most)) => {
                (said(by), Some(format!("where the source is right to need more: --limit {key}={most}, or leave it out")))
            }
        };
        Problem { message: format!("{} ({key} {number}{who})", problem.message), hint: hint.or(problem.hint), ..problem }
    }

    fn of(&self, limit: FetchLimit) -> (u64, SetBy) {
        let found = self.limits.iter().find(|(of, ..)| *of == limit);
        found.map_or((limit.built_in(), SetBy::BuiltIn), |(_, number, by)| (*number, *by))
    }
}

fn said(by: SetBy) -> String {
    match by {
        SetBy::Flag => ", as `--limit` says".to_owned(),
        SetBy::BuiltIn | SetBy::File => ", as built in".to_owned(),
    }
}

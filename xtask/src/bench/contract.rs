//! What the two contracts ask of a builder image, and of the flags of `sti`.

/// How a builder image takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contract {
    /// Scripts in `/usr/bin`; artifacts are copied.
    Prepare,
    /// Scripts where a label says; the source may be moved, and artifacts are a tar on standard output.
    Assemble,
}

impl Contract {
    /// The directories of its scripts, those above first.
    pub(super) fn directories(self) -> &'static [&'static str] {
        match self {
            Self::Prepare => &[],
            Self::Assemble => &["/usr/libexec", "/usr/libexec/s2i"],
        }
    }

    /// Where a script is.
    pub(super) fn script(self, name: &str) -> String {
        format!("{}/{name}", self.directories().last().unwrap_or(&"/usr/bin"))
    }

    /// The script that builds.
    pub(super) fn builds(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Assemble => "assemble",
        }
    }

    /// What save-artifacts does with `/cache`, in verbs of the fixture.
    pub(super) fn saves(self) -> &'static str {
        match self {
            Self::Prepare => "copy /cache /tmp/artifacts",
            Self::Assemble => "tar /cache",
        }
    }

    /// What the image says of itself.
    pub(super) fn label(self) -> Option<&'static str> {
        match self {
            Self::Prepare => None,
            Self::Assemble => Some("io.openshift.s2i.scripts-url=image:///usr/libexec/s2i"),
        }
    }

    /// The flag for a build that is incremental or not, where that is not what a build is by itself.
    pub(super) fn flag(self, is_incremental: bool) -> Option<&'static str> {
        match (self, is_incremental) {
            (Self::Prepare, false) => Some("--clean"),
            (Self::Assemble, true) => Some("--incremental"),
            (Self::Prepare, true) | (Self::Assemble, false) => None,
        }
    }
}

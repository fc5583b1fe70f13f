//! Globs for the names in one directory.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

use globset::{GlobBuilder, GlobMatcher};

/// The names that a glob stands for.
///
/// ```
/// use sti_core::plan::Names;
///
/// let names = Names::of("*.{jar,war}").unwrap();
/// assert!(names.hold(b"app.jar") && names.hold(b".hidden.war") && !names.hold(b"app.txt"));
/// assert!(Names::of("lib/*.jar").is_err() && Names::of("[").is_err());
/// ```
#[derive(Clone, Debug)]
pub struct Names {
    matcher: GlobMatcher,
    /// The characters before the first and behind the last that stand for others.
    ends: (String, String),
}

/// Characters that stand for others.
const SPECIAL: [char; 8] = ['*', '?', '[', ']', '{', '}', '\\', ','];

impl Names {
    /// Reads a glob: `*`, `?`, `[a-z]` and `{a,b}`, where a leading dot is a character like others.
    ///
    /// # Errors
    /// What is wrong with it: it is malformed, or holds a slash.
    pub fn of(glob: &str) -> Result<Self, String> {
        if glob.contains('/') {
            return Err("it holds a slash, and names have none".to_owned());
        }
        let built = GlobBuilder::new(glob).literal_separator(true).build().map_err(|error| error.kind().to_string())?;
        let first = glob.split(SPECIAL).next().unwrap_or_default();
        let last = glob.rsplit(SPECIAL).next().unwrap_or_default();
        Ok(Self { matcher: built.compile_matcher(), ends: (first.to_owned(), last.to_owned()) })
    }

    /// Whether a name is among them.
    pub fn hold(&self, name: &[u8]) -> bool {
        self.matcher.is_match(OsStr::from_bytes(name))
    }

    /// Whether it can be seen that no name is among both, because they begin or end differently.
    ///
    /// ```
    /// use sti_core::plan::Names;
    ///
    /// let apart = |one: &str, other: &str| Names::of(one).unwrap().are_apart_from(&Names::of(other).unwrap());
    /// assert!(apart("*.jar", "*.war") && apart("lib*", "app-?.jar"));
    /// assert!(!apart("*.jar", "a*") && !apart("*", "*.war") && !apart("*.jar", "*-all.jar"));
    /// ```
    pub fn are_apart_from(&self, other: &Self) -> bool {
        let ((begin, end), (other_begin, other_end)) = (&self.ends, &other.ends);
        let begins = begin.starts_with(other_begin.as_str()) || other_begin.starts_with(begin.as_str());
        let ends = end.ends_with(other_end.as_str()) || other_end.ends_with(end.as_str());
        !begins || !ends
    }
}

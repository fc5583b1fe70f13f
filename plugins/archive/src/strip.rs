//! How many leading parts of each name are left out: what the user said, or one where everything lies below one directory.

use sti_plugin::Problem;

use crate::names::Name;

/// The setting's name.
pub(crate) const SETTING: &str = "strip-components";

/// What the user asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strip {
    /// One level, where every entry lies below one top directory.
    Auto,
    /// So many levels; entries with no more parts are left out, as with GNU tar.
    Levels(usize),
}

impl Strip {
    /// Reads the setting.
    pub(crate) fn parse(value: &str) -> Result<Self, Problem> {
        match value.parse() {
            Ok(levels) => Ok(Self::Levels(levels)),
            Err(_) if value == "auto" => Ok(Self::Auto),
            Err(_) => Err(Problem::invalid("invalid-setting", format!("`{value}` is no number of components"))
                .hint(format!("give a number or `auto`, such as `--{SETTING} 1`"))),
        }
    }
}

/// What the first parts of all names have in common, gathered name by name.
#[derive(Debug, Default)]
pub(crate) struct Tops {
    top: Option<String>,
    /// Whether there is another top, or one that is no directory.
    others: bool,
    deepest: usize,
}

impl Tops {
    /// Looks at one more name.
    pub(crate) fn add(&mut self, name: &Name, is_directory: bool) {
        let depth = name.depth();
        if depth == 0 {
            return;
        }
        self.deepest = self.deepest.max(depth);
        self.others |= depth == 1 && !is_directory;
        match &self.top {
            None => self.top = Some(name.top().to_owned()),
            Some(top) => self.others |= top != name.top(),
        }
    }

    /// The one directory below which everything lies, where there is something.
    pub(crate) fn only(&self) -> Option<&str> {
        let is_only = !self.others && self.deepest > 1;
        self.top.as_deref().filter(|_| is_only)
    }

    /// Makes sure that something is left without so many levels: else it is not what anybody wants.
    pub(crate) fn must_be_deeper(&self, levels: usize) -> Result<(), Problem> {
        if levels < self.deepest || self.deepest == 0 {
            return Ok(());
        }
        let message = format!("no entry is left without its first {levels} components: none has more than {}", self.deepest);
        Err(Problem::invalid("nothing-left", message).hint(format!("give a smaller number: `--{SETTING} 0`, or `auto`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Habits;

    fn tops(names: &[&str]) -> Tops {
        let mut tops = Tops::default();
        for name in names {
            tops.add(&Name::judge(name.as_bytes(), Habits::Tar).unwrap(), name.ends_with('/'));
        }
        tops
    }

    fn check_only(names: &[&str], only: Option<&str>) {
        assert_eq!(tops(names).only(), only, "{names:?}");
    }

    #[test]
    fn finds_one_top_directory_with_something_below() {
        check_only(&["app-1.0/", "app-1.0/src/main.c", "app-1.0/README"], Some("app-1.0"));
        check_only(&["./", "./app/a", "./app/b"], Some("app"));
        check_only(&["app/a"], Some("app"));
        check_only(&["app/", "app/a", "./app/"], Some("app"));
    }

    #[test]
    fn finds_none_where_there_is_more_than_one_top_or_nothing_below() {
        check_only(&["a/b", "c/d"], None);
        check_only(&["a/b", "README"], None);
        check_only(&["app"], None);
        check_only(&["app/"], None);
        check_only(&["app/", "app/a", "app"], None);
        check_only(&[], None);
    }

    #[test]
    fn something_must_be_left() {
        let code = |names, levels| tops(names).must_be_deeper(levels).err().map(|problem| problem.code().to_owned());
        assert_eq!(code(&["a/b/c", "d"], 2), None);
        assert_eq!(code(&["a/b/c", "d"], 3).as_deref(), Some("nothing-left"));
        assert_eq!(code(&[], 3), None);
    }

    #[test]
    fn reads_numbers_and_auto() {
        assert_eq!(Strip::parse("2"), Ok(Strip::Levels(2)));
        assert_eq!(Strip::parse("auto"), Ok(Strip::Auto));
        assert_eq!(Strip::parse("-1").unwrap_err().code(), "invalid-setting");
    }
}

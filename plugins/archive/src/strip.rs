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
                .hint(format!("give a number or `auto`, such as `--set {SETTING}=1`"))),
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

    /// Tells how many levels to strip. More than there are would leave nothing, which nobody wants.
    pub(crate) fn levels(&self, strip: Strip) -> Result<usize, Problem> {
        match strip {
            Strip::Auto => Ok(usize::from(!self.others && self.deepest > 1)),
            Strip::Levels(levels) if levels >= self.deepest && self.deepest > 0 => {
                let message =
                    format!("no entry is left without its first {levels} components: none has more than {}", self.deepest);
                Err(Problem::invalid("nothing-left", message)
                    .hint(format!("give a smaller number: `--set {SETTING}=0`, or `auto`")))
            }
            Strip::Levels(levels) => Ok(levels),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Habits;

    fn check(names: &[&str], strip: Strip, levels: Result<usize, &str>) {
        let mut tops = Tops::default();
        for name in names {
            tops.add(&Name::judge(name.as_bytes(), Habits::Tar).unwrap(), name.ends_with('/'));
        }
        let told = tops.levels(strip);
        assert_eq!(told.as_ref().map_err(Problem::code), levels.as_ref().map_err(|code| *code), "{names:?}");
    }

    #[test]
    fn strips_one_top_directory_with_something_below() {
        check(&["app-1.0/", "app-1.0/src/main.c", "app-1.0/README"], Strip::Auto, Ok(1));
        check(&["./", "./app/a", "./app/b"], Strip::Auto, Ok(1));
        check(&["app/a"], Strip::Auto, Ok(1));
    }

    #[test]
    fn strips_nothing_where_there_is_more_than_one_top_or_none() {
        check(&["a/b", "c/d"], Strip::Auto, Ok(0));
        check(&["a/b", "README"], Strip::Auto, Ok(0));
        check(&["app"], Strip::Auto, Ok(0));
        check(&["app/"], Strip::Auto, Ok(0));
        check(&[], Strip::Auto, Ok(0));
    }

    #[test]
    fn strips_what_the_user_said_as_long_as_something_is_left() {
        check(&["a/b/c", "d"], Strip::Levels(2), Ok(2));
        check(&["a/b/c", "d"], Strip::Levels(3), Err("nothing-left"));
        check(&[], Strip::Levels(3), Ok(3));
    }

    #[test]
    fn reads_numbers_and_auto() {
        assert_eq!(Strip::parse("2"), Ok(Strip::Levels(2)));
        assert_eq!(Strip::parse("auto"), Ok(Strip::Auto));
        assert_eq!(Strip::parse("-1").unwrap_err().code(), "invalid-setting");
    }
}

//! Names of a tree's entries: what may become a file, and what would lead elsewhere.

use gix_validate::path::{self, component};
use sti_plugin::Problem;

/// What is refused on every system, because a tree made here may be used on any.
const PROTECTIONS: component::Options = component::Options { protect_windows: false, protect_hfs: true, protect_ntfs: true };

/// Judges one name, and answers with the whole path.
pub(crate) fn join(directory: &str, name: &[u8], is_symlink: bool) -> Result<String, Problem> {
    let shown = || format!("{directory}{}", String::from_utf8_lossy(name).escape_debug());
    let mode = is_symlink.then_some(component::Mode::Symlink);
    if name.contains(&0) {
        return Err(unsafe_path(&shown(), "a name may not hold a NUL byte"));
    }
    path::component(name.into(), mode, PROTECTIONS).map_err(|fault| unsafe_path(&shown(), reason(&fault)))?;
    let name = std::str::from_utf8(name).map_err(|_| {
        Problem::invalid("name-not-utf8", format!("the name of `{}` is not UTF-8", shown()))
            .hint("rename it in the repository: `git mv` takes the old name as your shell completes it")
    })?;
    Ok(format!("{directory}{name}"))
}

fn reason(fault: &component::Error) -> &'static str {
    match fault {
        component::Error::Empty => "a name may not be empty",
        component::Error::PathSeparator => "a name may not hold a `/`",
        component::Error::Relative => "`.` and `..` are no names",
        component::Error::SymlinkedGitModules => "`.gitmodules` may not be a link",
        component::Error::DotGitDir => "it is a spelling of `.git`",
        _ => "it would mean something else on another system",
    }
}

fn unsafe_path(path: &str, reason: &str) -> Problem {
    Problem::invalid("unsafe-path", format!("the repository holds the path `{path}`: {reason}"))
        .hint("do not use this repository before you know who made it so; git refuses it as well")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_refuses(name: &[u8]) {
        let problem = join("a/", name, false).unwrap_err();
        assert_eq!(problem.code(), "unsafe-path", "{name:?}");
        assert!(problem.message().contains("`a/"), "{problem}");
    }

    #[test]
    fn refuses_every_spelling_of_a_name_that_leads_elsewhere() {
        for name in [
            "",
            ".",
            "..",
            "a/b",
            "/a",
            ".git",
            ".GIT",
            ".GiT",
            "git~1",
            "GIT~1",
            ".git.",
            ".git ",
            ".git . .",
            ".git::$INDEX_ALLOCATION",
            ".git:x",
            "git~1::$INDEX_ALLOCATION",
            ".g\u{200c}it",
            "\u{feff}.git",
            ".gi\u{202e}t",
            ".git\u{206f}",
        ] {
            check_refuses(name.as_bytes());
        }
        check_refuses(b"a\0b");
    }

    #[test]
    fn refuses_a_link_in_the_place_of_the_list_of_submodules() {
        assert_eq!(join("", b".gitmodules", true).unwrap_err().code(), "unsafe-path");
        assert_eq!(join("", b".gitmodules", false).unwrap(), ".gitmodules");
    }

    #[test]
    fn takes_names_that_are_only_unusual() {
        for name in [".gitignore", ".github", "git", "git~2", "...", " a", "a:b", "a\\b", "CON", "\u{e9}", "-x", "a\nb"] {
            assert_eq!(join("d/", name.as_bytes(), true).unwrap(), format!("d/{name}"));
        }
    }

    #[test]
    fn says_which_name_is_not_text() {
        let problem = join("d/", b"\xff", false).unwrap_err();
        assert_eq!(problem.code(), "name-not-utf8");
        assert!(problem.message().contains("`d/"), "{problem}");
    }
}

//! Failures of the parts underneath, told in our words.

use std::{
    cell::{Cell, RefCell},
    error::Error,
    io,
    rc::Rc,
};

use sti_plugin::Problem;

/// Keeps what the host answered while a library was between us and the host, since a library keeps the words only.
#[derive(Clone, Default)]
pub(crate) struct Trouble(Rc<RefCell<Option<Problem>>>);

impl Trouble {
    /// Keeps a problem, and gives the library an error in its place.
    pub(crate) fn keep(&self, problem: Problem) -> io::Error {
        let error = io::Error::other(problem.to_string());
        self.0.borrow_mut().get_or_insert(problem);
        error
    }

    /// Tells the problem that was kept; where there is none, what the library says.
    pub(crate) fn or(&self, otherwise: impl FnOnce() -> Problem) -> Problem {
        self.0.borrow_mut().take().unwrap_or_else(otherwise)
    }
}

/// How much more one answer may hold, so that a server which never ends does not fill the memory.
#[derive(Clone)]
pub(crate) struct Budget(Rc<Cell<u64>>);

impl Budget {
    /// Of a list of references.
    pub(crate) const LIST: u64 = 32 << 20;

    /// Starts with so many bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        Self(Rc::new(Cell::new(bytes)))
    }

    /// Lets the other side say as much as it has: what a pack may hold is limited where it is kept.
    pub(crate) fn lift(&self) {
        self.0.set(u64::MAX);
    }

    /// Takes away what was read.
    pub(crate) fn spend(&self, bytes: usize) -> Result<(), Problem> {
        let left = self.0.get().checked_sub(bytes as u64).ok_or_else(|| {
            Problem::exhausted("answer-too-large", "the server says more than is believed of a repository")
                .hint("build from a checkout: `git clone --depth 1` it, and give the directory as the source")
        })?;
        self.0.set(left);
        Ok(())
    }
}

/// Joins what an error says with what its causes say, in one line.
pub(crate) fn told(error: &(dyn Error + 'static)) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let cause = error.to_string();
        if !words.iter().any(|said| said.contains(&cause)) {
            words.push(cause);
        }
        next = error.source();
    }
    words.join(": ").replace('\n', " ")
}

/// Makes the problem of a server that does not keep to the protocol, or that says no in words of its own.
pub(crate) fn server(address: &str, error: &(dyn Error + 'static)) -> Problem {
    Problem::unavailable("fetch-failed", format!("`{address}` could not be fetched: {}", told(error)))
        .hint(format!("see whether `{}` works", list_remote(address)))
}

/// Writes a command that can be pasted. An address may come from a stranger's list of submodules: one that a shell would take apart is
/// not written out.
pub(crate) fn list_remote(address: &str) -> String {
    let is_plain = address.chars().all(|character| character.is_ascii_alphanumeric() || "-._~:/@%+=,".contains(character));
    format!("git ls-remote {}", if is_plain { address } else { "ADDRESS" })
}

/// Makes the problem of a pack that is not what it says.
pub(crate) fn corrupt(error: &(dyn Error + 'static)) -> Problem {
    damaged(told(error))
}

/// As [`corrupt`], with words of our own.
pub(crate) fn damaged(what: impl std::fmt::Display) -> Problem {
    Problem::invalid("damaged-repository", format!("what the server sent is damaged: {what}"))
        .hint("run `git fsck` on the repository, or clone it anew where it lies")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_no_command_that_a_shell_would_take_apart() {
        assert_eq!(list_remote("https://host:1/a-b.git"), "git ls-remote https://host:1/a-b.git");
        for address in ["https://host/$(decoy)", "https://host/a;decoy", "https://host/a b", "https://host/`decoy`"] {
            assert_eq!(list_remote(address), "git ls-remote ADDRESS", "{address}");
        }
    }
}

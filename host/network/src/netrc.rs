//! Reads `.netrc`, the file of logins that ftp, curl and git share.
//!
//! `default` is not honoured: it would send a login to any host that a redirect leads to. Format: the manual of ftp(1), and quoted words
//! as curl reads them.

use std::iter::Peekable;
use std::str::Chars;

use crate::secret::{Pair, Secret};

/// One `machine`.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) host: String,
    pub(crate) pair: Pair,
}

/// All machines of a file that have a login and a password, in its order. What cannot be understood is passed over, as others do.
pub(crate) fn parse(text: &str) -> Vec<Machine> {
    let mut words = Words { text: text.chars().peekable() };
    let mut machines = Vec::new();
    let mut current = None::<Draft>;
    while let Some(word) = words.next_word() {
        match word.as_str() {
            "machine" => {
                machines.extend(current.take().and_then(Draft::finish));
                current = words.next_word().as_deref().map(Draft::new);
            }
            "default" => machines.extend(current.take().and_then(Draft::finish)),
            "macdef" => words.skip_macro(),
            "login" => set(&mut current, words.next_word(), |draft| &mut draft.user),
            "password" => set(&mut current, words.next_word(), |draft| &mut draft.password),
            "account" => drop(words.next_word()),
            comment if comment.starts_with('#') => words.skip_line(),
            _ => {}
        }
    }
    machines.extend(current.and_then(Draft::finish));
    machines
}

/// A machine while it is read.
struct Draft {
    host: String,
    user: Option<String>,
    password: Option<String>,
}

impl Draft {
    fn new(host: &str) -> Self {
        Self { host: host.to_ascii_lowercase(), user: None, password: None }
    }

    fn finish(self) -> Option<Machine> {
        let pair = Pair { user: Secret::new(self.user?), password: Secret::new(self.password?) };
        Some(Machine { host: self.host, pair })
    }
}

fn set(draft: &mut Option<Draft>, word: Option<String>, field: impl Fn(&mut Draft) -> &mut Option<String>) {
    if let Some(draft) = draft {
        *field(draft) = word;
    }
}

struct Words<'a> {
    text: Peekable<Chars<'a>>,
}

impl Words<'_> {
    fn next_word(&mut self) -> Option<String> {
        while self.text.next_if(|character| character.is_whitespace()).is_some() {}
        if *self.text.peek()? == '"' {
            return Some(self.quoted());
        }
        let mut word = String::new();
        while let Some(character) = self.text.next_if(|character| !character.is_whitespace()) {
            word.push(character);
        }
        Some(word)
    }

    fn quoted(&mut self) -> String {
        self.text.next();
        let mut word = String::new();
        while let Some(character) = self.text.next().filter(|character| *character != '"') {
            word.extend(if character == '\\' { self.text.next().map(unescaped) } else { Some(character) });
        }
        word
    }

    fn skip_line(&mut self) {
        while self.text.next_if(|character| *character != '\n').is_some() {}
    }

    /// A macro ends with an empty line.
    fn skip_macro(&mut self) {
        self.skip_line();
        while self.text.next().is_some() && self.text.peek().is_some_and(|character| *character != '\n') {
            self.skip_line();
        }
    }
}

fn unescaped(character: char) -> char {
    match character {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, &str, &str)]) {
        let machines = parse(text);
        let found = machines.iter().map(|Machine { host, pair }| (host.as_str(), pair.user.reveal(), pair.password.reveal()));
        assert_eq!(found.collect::<Vec<_>>(), expected, "{text}");
        assert!(!format!("{machines:?}").contains("pw"), "{machines:?}");
    }

    #[test]
    fn machines_are_read_in_their_order() {
        check("machine a.test login ada password pw", &[("a.test", "ada", "pw")]);
        check(
            "machine A.test\n  login ada\n  account x\n  password pw1\nmachine b login bob password pw2\n",
            &[("a.test", "ada", "pw1"), ("b", "bob", "pw2")],
        );
        check("machine a password pw login ada", &[("a", "ada", "pw")]);
    }

    #[test]
    fn quoted_words_comments_and_macros_are_understood() {
        check(r#"machine a login "a da" password "p\"w\\""#, &[("a", "a da", r#"p"w\"#)]);
        check("# machine x login y password z\nmachine a login ada password #pw", &[("a", "ada", "#pw")]);
        check("macdef init\nmachine x login y password z\nmore\n\nmachine a login ada password pw", &[("a", "ada", "pw")]);
    }

    #[test]
    fn what_is_not_for_one_host_is_passed_over() {
        check("default login ada password pw", &[]);
        check("machine a login ada password pw default login bob password pw2", &[("a", "ada", "pw")]);
        check("machine a login ada", &[]);
        check("machine", &[]);
        check("login ada password \"pw", &[]);
        check("", &[]);
    }
}

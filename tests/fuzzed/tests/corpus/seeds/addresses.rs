//! Addresses in each form, and in odd ones.

/// A word, and the reference that follows it.
const WORDS: &[(&str, &str)] = &[
    ("path", "./app#v1"),
    ("archive-path", "archive:app-1.0.tar.gz"),
    ("standard-input", "archive:-"),
    ("git-path", "git:.#v2"),
    ("git-plus", "git+https://example.com/app#v2"),
    ("web", "https://example.com:8443/team/app.git#feature/x"),
    ("web-login", "https://user:hidden@example.com/app#v1"),
    ("web-login-odd", "https:\\\\user:hid%40den@example.com\\app?a=b@c#d@e"),
    ("inner-login", "archive:https://user:hidden@example.com/app.tar"),
    ("ssh", "ssh://git:hidden@example.com:22/~/app\nmain"),
    ("ssh-option", "ssh://-oProxyCommand=x/app"),
    ("short", "git@example.com:team/app.git\nHEAD~2^^{commit}"),
    ("short-brackets", "me@[::1]:a"),
    ("daemon", "git://[::1]:9418/app\n0123456789012345678901234567890123456789"),
    ("numbers", "http://0x7f.1/app\nrefs/pull/1/head"),
    ("name", "https://b\u{fc}cher.example./app\n-x"),
    ("file", "file:///srv/app.git#main~1"),
    ("helper", "ext::sh -c x://y"),
    ("drive", "c:\\app"),
    ("broken-port", "https://user:hidden#den@example.com:99999/app"),
];

pub(crate) fn all() -> Vec<(String, Vec<u8>)> {
    WORDS.iter().map(|(name, word)| ((*name).to_owned(), word.as_bytes().to_vec())).collect()
}

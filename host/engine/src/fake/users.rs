//! Who a user of an image's configuration is, by the image's own `/etc/passwd` and `/etc/group`.

use sti_core::Identity;

use super::Files;

/// Resolves `user`, `uid`, `user:group` or `uid:gid`; `None` where the image knows no such name.
pub(super) fn resolve(files: &Files, written: &str) -> Option<Identity> {
    let (user, group) = written.split_once(':').map_or((written, None), |(user, group)| (user, Some(group)));
    let user = if user.is_empty() { "0" } else { user };
    let line = lines(files, "/etc/passwd").into_iter().find(|line| line[0] == user || line.get(2).is_some_and(|uid| uid == user));
    let field = |index: usize| line.as_ref().and_then(|line| line.get(index).cloned());
    let number = |text: Option<String>| text.and_then(|text| text.parse().ok());
    let uid = user.parse().ok().or_else(|| if user == "root" { Some(0) } else { number(field(2)) })?;
    let gid = match group {
        Some(group) => group.parse().ok().or_else(|| group_id(files, group))?,
        None => number(field(3)).unwrap_or(0),
    };
    Some(Identity { uid, gid, written: written.to_owned(), home: field(5) })
}

fn group_id(files: &Files, name: &str) -> Option<u32> {
    let line = lines(files, "/etc/group").into_iter().find(|line| line[0] == name)?;
    line.get(2)?.parse().ok()
}

fn lines(files: &Files, path: &str) -> Vec<Vec<String>> {
    let bytes = files.read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).lines().map(|line| line.split(':').map(str::to_owned).collect()).collect()
}

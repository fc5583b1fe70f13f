//! Who a container runs as: the user that an image names, looked up in the image's own lists.

use sti_core::{Identity, ImageId};
use sti_engine::Error;

use crate::DockerEngine;

/// Where both lists lie.
pub(crate) const LISTS: &str = "/etc";
const USERS: &str = "/etc/passwd";
const GROUPS: &str = "/etc/group";
/// Lists of users of a whole company fit.
const LONGEST_LIST: u64 = 4 * 1024 * 1024;

impl DockerEngine {
    /// Resolves a user as written in an image's configuration. Numbers of both kinds ask for nothing.
    pub(crate) async fn identity_of(&self, image: &ImageId, written: &str, shown: &str) -> Result<Identity, Error> {
        self.identity_by(image, written, shown, None).await
    }

    /// The same, looked up where need be in a container of the image that has not started yet.
    pub(crate) async fn identity_by(
        &self,
        image: &ImageId,
        written: &str,
        shown: &str,
        container: Option<&str>,
    ) -> Result<Identity, Error> {
        let wanted = Wanted::read(written);
        let needs_users = !wanted.is_root() && (wanted.group.is_none() || wanted.user_number().is_none());
        let users = if needs_users { self.list(image, USERS, container).await? } else { String::new() };
        let needs_groups = wanted.group.as_ref().is_some_and(|group| group.parse::<u32>().is_err());
        let groups = if needs_groups { self.list(image, GROUPS, container).await? } else { String::new() };
        resolve(&wanted, &users, &groups).map_err(|what| unknown(shown, &what))
    }

    async fn list(&self, image: &ImageId, path: &str, container: Option<&str>) -> Result<String, Error> {
        let bytes = self.file_of(image, path, LONGEST_LIST, container).await?;
        Ok(String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned())
    }
}

fn unknown(shown: &str, what: &str) -> Error {
    Error::CreateContainerFailed { title: shown.to_owned(), why: what.to_owned() }
}

/// A user as written: `name`, `uid`, `user:group` in names or numbers.
struct Wanted {
    written: String,
    user: String,
    group: Option<String>,
}

impl Wanted {
    fn read(written: &str) -> Self {
        let (user, group) = written.split_once(':').map_or((written, None), |(user, group)| (user, Some(group)));
        let user = if user.is_empty() { "0" } else { user };
        let group = group.filter(|group| !group.is_empty()).map(str::to_owned);
        Self { written: written.to_owned(), user: user.to_owned(), group }
    }

    fn user_number(&self) -> Option<u32> {
        self.user.parse().ok()
    }

    /// Root is 0:0 with or without a list that says so.
    fn is_root(&self) -> bool {
        self.user == "root" || self.user_number() == Some(0)
    }
}

fn resolve(wanted: &Wanted, users: &str, groups: &str) -> Result<Identity, String> {
    let entry = user_entry(users, &wanted.user);
    let uid = match (wanted.user_number(), &entry) {
        (Some(number), _) => number,
        (None, Some(entry)) => entry.uid,
        (None, None) if wanted.user == "root" => 0,
        (None, None) => return Err(format!("its user `{}` is not in the image's `{USERS}`", wanted.user)),
    };
    let gid = match &wanted.group {
        None => entry.as_ref().map_or(0, |entry| entry.gid),
        Some(group) => group_number(groups, group)
            .ok_or_else(|| format!("the group `{group}` of its user is not in the image's `{GROUPS}`"))?,
    };
    Ok(Identity { uid, gid, written: wanted.written.clone(), home: entry.map(|entry| entry.home) })
}

struct Entry {
    uid: u32,
    gid: u32,
    home: String,
}

/// `name:password:uid:gid:comment:home:shell`; the first line that fits by name counts, then the first by number.
fn user_entry(users: &str, user: &str) -> Option<Entry> {
    let lines = || users.lines().map(|line| line.split(':').collect::<Vec<_>>()).filter(|fields| fields.len() >= 4);
    let fields = lines().find(|fields| fields[0] == user).or_else(|| lines().find(|fields| fields[2] == user))?;
    let home = fields.get(5).copied().filter(|home| !home.is_empty()).unwrap_or("/");
    Some(Entry { uid: fields[2].parse().ok()?, gid: fields[3].parse().ok()?, home: home.to_owned() })
}

/// `name:password:gid:members`.
fn group_number(groups: &str, group: &str) -> Option<u32> {
    if let Ok(number) = group.parse() {
        return Some(number);
    }
    let mut lines = groups.lines().map(|line| line.split(':').collect::<Vec<_>>()).filter(|fields| fields.len() >= 3);
    lines.find(|fields| fields[0] == group).and_then(|fields| fields[2].parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nbuilder:x:431:433::/home/builder:/bin/sh\nbroken line\n";
    const GROUP: &str = "root:x:0:\nstaff:x:50:builder\n";

    fn check_resolves(written: &str, uid: u32, gid: u32, home: Option<&str>) {
        let identity = resolve(&Wanted::read(written), PASSWD, GROUP).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((identity.uid, identity.gid, identity.home.as_deref()), (uid, gid, home), "{written}");
        assert_eq!(identity.written, written);
    }

    #[test]
    fn resolves_users_however_they_are_written() {
        check_resolves("", 0, 0, Some("/root"));
        check_resolves("root", 0, 0, Some("/root"));
        check_resolves("builder", 431, 433, Some("/home/builder"));
        check_resolves("431", 431, 433, Some("/home/builder"));
        check_resolves("builder:staff", 431, 50, Some("/home/builder"));
        check_resolves("builder:7", 431, 7, Some("/home/builder"));
        check_resolves("1001", 1001, 0, None);
        check_resolves("1001:1002", 1001, 1002, None);
    }

    #[test]
    fn says_which_name_is_unknown_and_where_it_was_looked_up() {
        let refused = |written: &str| resolve(&Wanted::read(written), PASSWD, GROUP).expect_err(written);
        assert_eq!(refused("nobody"), "its user `nobody` is not in the image's `/etc/passwd`");
        assert_eq!(refused("root:nogroup"), "the group `nogroup` of its user is not in the image's `/etc/group`");
    }

    #[test]
    fn takes_root_for_root_in_an_image_without_lists() {
        let identity = resolve(&Wanted::read("root"), "", "").unwrap();
        assert_eq!((identity.uid, identity.gid), (0, 0));
    }
}

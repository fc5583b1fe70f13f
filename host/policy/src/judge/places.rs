//! Where content goes in images that are not root's: what stands in some places decides who is root there, whoever owns it.
//!
//! A user's name, a library that is loaded first, a program that root is about to start: each is as good as root itself.

use sti_core::Plan;
use sti_core::plan::{Action, Content, ContentId, Instruction, Names, Step, is_at_or_below};

use super::At;
use super::users::Standing;
use crate::denial::Denial;
use crate::quoting::shown;
use crate::rules::Root;

/// Where programs and libraries are kept. Order decides: the longest first.
const TOPS: [&str; 3] = ["/usr/local/", "/usr/", "/"];

pub(super) fn judge(plan: &Plan, step: &Step, base: &Standing, at: &At<'_>) -> Result<(), Denial> {
    // An image made from nothing holds no program of root's, and gets none: files of root's are refused there.
    if base.is_from_nothing || (base.is_roots && at.grant.root() == Root::WhereTheImageIs) {
        return Ok(());
    }
    let places = places_of(step);
    if let Some((_, path)) = places.iter().find(|(_, path)| decides_who_is_root(path)) {
        return Err(refuse(format!("put content at `{}`", shown(path)), "what stands there decides who is root", base, at));
    }
    for (number, (content, outer)) in places.iter().enumerate().filter(|(_, (content, _))| may_hold_links(plan, *content)) {
        let is_led = |(other, (inner, path)): &(usize, &(ContentId, &str))| {
            *other != number && is_at_or_below(path, outer) && may_hold(plan, (*content, outer), (*inner, path))
        };
        let led = places.iter().enumerate().find(is_led);
        if let Some((_, (_, path))) = led {
            let wish = format!("put content at `{}` and at `{}`", shown(path), shown(outer));
            return Err(refuse(wish, &format!("a link in content {} could lead the other to root's files", content.0), base, at));
        }
    }
    Ok(())
}

fn refuse(wish: String, why: &str, base: &Standing, at: &At<'_>) -> Denial {
    if base.is_roots {
        return at.refuse_with(
            wish,
            at.grant.by_the_file(&format!("no root, and {why}")),
            at.grant.line_of_the_file("root", "true"),
        );
    }
    let grant = format!("the image's user is `{}`, root is granted where the image runs as root, and {why}", shown(&base.own));
    at.refuse_with(wish, grant, "the plugin can choose another place, such as one below `/srv` or `/opt`".to_owned())
}

fn places_of(step: &Step) -> Vec<(ContentId, &str)> {
    match &step.action {
        Action::Run(run) => run.places.iter().map(|place| (place.content, place.at.as_str())).collect(),
        Action::Assemble(assemble) => {
            assemble.layers.iter().map(|layer| (layer.copied.content, layer.copied.at.as_str())).collect()
        }
        Action::Build(build) => build.instructions.iter().filter_map(copied).collect(),
    }
}

fn copied(instruction: &Instruction) -> Option<(ContentId, &str)> {
    match instruction {
        Instruction::Copy(copied) => Some((copied.content, &copied.at)),
        _ => None,
    }
}

/// Files that a plugin writes itself are plain files, and so are secrets.
fn may_hold_links(plan: &Plan, content: ContentId) -> bool {
    !matches!(plan.resolve(content), Some((_, Content::Files { .. } | Content::Secret { .. } | Content::Empty, _)))
}

/// Whether what is put at `outer` may hold, by its names, what lies on the way of what is put at or below it.
fn may_hold(plan: &Plan, (content, outer): (ContentId, &str), (inner, path): (ContentId, &str)) -> bool {
    let names_of = |content| plan.glob(content).and_then(|glob| Names::of(glob).ok());
    let Some(names) = names_of(content) else { return true };
    match path.strip_prefix(outer).unwrap_or(path).trim_start_matches('/').split('/').next() {
        None | Some("") if of_one_directory(plan, content, inner) => false,
        None | Some("") => !names_of(inner).is_some_and(|others| others.are_apart_from(&names)),
        Some(name) => names.hold(name.as_bytes()),
    }
}

/// Whether two contents are entries of the same directory: one name is one thing there, and no link and a directory at once.
fn of_one_directory(plan: &Plan, one: ContentId, other: ContentId) -> bool {
    match (plan.content(one), plan.content(other)) {
        (Some(Content::Matching { of: one, .. }), Some(Content::Matching { of: other, .. })) => one == other,
        _ => false,
    }
}

/// Tells whether a path equals, lies below or lies above `/etc` or a directory of programs or libraries.
fn decides_who_is_root(path: &str) -> bool {
    if path == "/etc" || path.starts_with("/etc/") || TOPS.iter().any(|top| is_at_or_below(top, path)) {
        return true;
    }
    let below = TOPS.iter().find_map(|top| path.strip_prefix(top)).unwrap_or(path);
    let name = below.split('/').next().unwrap_or(below);
    matches!(name, "bin" | "sbin") || name.starts_with("lib")
}

#[cfg(test)]
mod tests {
    use super::decides_who_is_root;

    #[test]
    fn knows_the_places_that_decide_who_is_root() {
        let roots = [
            "/etc",
            "/etc/passwd",
            "/lib",
            "/lib64",
            "/lib/x",
            "/libexec",
            "/bin",
            "/sbin/init",
            "/usr",
            "/usr/bin",
            "/usr/sbin/a",
            "/usr/lib",
            "/usr/lib32/a",
            "/usr/libexec/s2i",
            "/usr/local",
            "/usr/local/lib/a",
            "/usr/local/bin",
            "/usr/local/sbin",
        ];
        let others =
            ["/srv", "/tmp/src", "/opt/bin", "/app/etc", "/usr/share/a", "/usr/local/share", "/etcetera", "/binary", "/usrs"];
        assert_eq!(roots.iter().find(|path| !decides_who_is_root(path)), None);
        assert_eq!(others.iter().find(|path| decides_who_is_root(path)), None);
    }
}

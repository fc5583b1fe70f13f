//! Where the secrets of a step are mounted: no engine mounts a single file that is nowhere on a disk, so a value comes with a directory.

use std::collections::BTreeMap;

use sti_core::{
    Plan,
    plan::{Content, ContentId, Place, Placement, Run, Step, is_at_or_below},
};

use crate::{Contents, Error};

/// A directory of secrets, mounted while a command runs. What the image has there is hidden meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretMount<'a> {
    /// Absolute.
    pub at: &'a str,
    /// What lies in it, or is all of it.
    pub places: Vec<&'a Place>,
}

/// Whether a content is a secret, or a part of one.
pub fn is_secret(plan: &Plan, content: ContentId) -> bool {
    matches!(plan.resolve(content), Some((_, Content::Secret { .. }, _)))
}

/// The mounts of a run step for its secrets: a directory where it belongs, a value by the directory above it.
///
/// # Errors
/// [`Error::Unsupported`] where such a mount would hide something else that the step is given.
pub fn mounts<'a>(plan: &Plan, contents: &Contents, step: &Step, run: &'a Run) -> Result<Vec<SecretMount<'a>>, Error> {
    let unsupported = |what: String| Error::Unsupported { title: step.title.clone(), what };
    let mut mounts: BTreeMap<&str, Vec<&Place>> = BTreeMap::new();
    for place in run.places.iter().filter(|place| is_secret(plan, place.content)) {
        let Some(Content::Secret { name }) = plan.content(place.content).filter(|_| place.placement == Placement::Mounted) else {
            return Err(unsupported(format!("a part of a secret at `{}`", place.at)));
        };
        let secret = contents.secrets.get(name).ok_or_else(|| unsupported(format!("the secret `{name}`, which nobody gave")))?;
        let at = if secret.is_directory() { place.at.as_str() } else { above(&place.at) };
        if at.is_empty() {
            return Err(unsupported(format!("a secret at `{}`, and not in a directory", place.at)));
        }
        mounts.entry(at).or_default().push(place);
    }
    for at in mounts.keys() {
        let others = run.places.iter().filter(|place| !is_secret(plan, place.content)).map(|place| place.at.as_str());
        let hidden = others.chain(run.transient.iter().map(String::as_str)).find(|other| is_at_or_below(other, at));
        if let Some(hidden) = hidden {
            return Err(unsupported(format!("secrets in `{at}`, which would hide `{hidden}`")));
        }
    }
    Ok(mounts.into_iter().map(|(at, places)| SecretMount { at, places }).collect())
}

fn above(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(above, _)| above)
}

#[cfg(test)]
mod tests {
    use sti_core::{
        Secret,
        plan::{Action, Author, Base, Network},
    };

    use super::*;

    /// The mounts of a step with the value `token`, the directory `keys` and an empty directory at these places.
    fn check_mounts(places: &[(u32, &str)], expected: Result<&[(&str, usize)], &str>) {
        let mut plan = Plan::empty(Author { plugin: String::new(), digest: String::new() });
        let secret = |name: &str| Content::Secret { name: name.to_owned() };
        plan.contents = vec![secret("token"), secret("keys"), Content::Empty];
        let contents = Contents {
            source: None,
            secrets: BTreeMap::from([
                ("token".to_owned(), Secret::value(b"hush".to_vec())),
                ("keys".to_owned(), Secret::directory(Vec::new())),
            ]),
        };
        let place = |(content, at): &(u32, &str)| Place {
            content: ContentId(*content),
            at: (*at).to_owned(),
            placement: Placement::Mounted,
        };
        let run = Run { places: places.iter().map(place).collect(), ..Run::new(Vec::new(), Network::None) };
        let step = Step { title: "run".to_owned(), base: Base::Scratch, action: Action::Run(run.clone()) };
        let mounts = mounts(&plan, &contents, &step, &run);
        match (mounts, expected) {
            (Ok(mounts), Ok(expected)) => {
                let mounts: Vec<_> = mounts.iter().map(|mount| (mount.at, mount.places.len())).collect();
                assert_eq!(mounts, expected, "{places:?}");
            }
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
            (mounts, _) => panic!("{places:?}: {mounts:?}"),
        }
    }

    #[test]
    fn values_share_the_directory_that_they_lie_in() {
        check_mounts(
            &[(0, "/run/secrets/a"), (0, "/run/secrets/b"), (1, "/opt/keys")],
            Ok(&[("/opt/keys", 1), ("/run/secrets", 2)]),
        );
        check_mounts(&[(2, "/tmp/src"), (0, "/tmp/x/a")], Ok(&[("/tmp/x", 1)]));
    }

    #[test]
    fn no_secret_hides_what_else_the_step_is_given() {
        check_mounts(&[(0, "/a")], Err("`/a`, and not in a directory"));
        check_mounts(&[(2, "/tmp/src"), (0, "/tmp/a")], Err("would hide `/tmp/src`"));
        check_mounts(&[(2, "/opt/keys/sub"), (1, "/opt/keys")], Err("would hide `/opt/keys/sub`"));
    }
}

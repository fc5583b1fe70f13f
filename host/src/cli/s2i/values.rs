//! Values of s2i's flags that we say in another way.

use super::flags::Ours;
use crate::StiError;

/// The pattern that s2i has where `--exclude` is not given.
const DEFAULT_EXCLUDE: &str = r"(^|/)\.git(/|$)";
/// Where s2i looks for scripts of an image that does not say where they are.
const DEFAULT_SCRIPTS: &str = "image:///usr/libexec/s2i";

/// One variable: commas belong to the value, and spaces around name and value do not count.
pub(super) fn variable(value: &str) -> Result<Ours, StiError> {
    let pair = value.split_once('=').filter(|(name, _)| !name.trim().is_empty());
    let (name, value) = pair.ok_or_else(|| StiError::InvalidEnvironment {
        what: format!("`{}` is not of the form NAME=VALUE", value.escape_debug()),
        hint: Some("-e NAME=VALUE".to_owned()),
    })?;
    Ok(Ours::Flag("env-whole", vec![format!("{}={}", name.trim(), value.trim())]))
}

pub(super) fn pull(value: &str) -> Result<Ours, StiError> {
    let ours = match value {
        "always" | "never" => value,
        "if-not-present" => "missing",
        _ => return Err(refused("pull-policy", value, "always, never or if-not-present")),
    };
    Ok(Ours::Flag("pull", vec![ours.to_owned()]))
}

pub(super) fn network(value: &str) -> Result<Ours, StiError> {
    let ours = match value {
        "" => return Ok(Ours::Nothing),
        "bridge" => "outgoing",
        "none" => value,
        _ => return Err(refused("network", value, "bridge or none: no build is granted another network")),
    };
    Ok(Ours::Flag("network", vec![ours.to_owned()]))
}

pub(super) fn exclude(value: &str) -> Result<Ours, StiError> {
    match value {
        DEFAULT_EXCLUDE => Ok(Ours::NotNeeded("`.git` is always left out")),
        _ => Err(refused("exclude", value, "nothing: rules of `.s2iignore` leave files out, and `.git` is always left out")),
    }
}

pub(super) fn image_scripts(value: &str) -> Result<Ours, StiError> {
    match value.trim_end_matches('/') {
        "" => Ok(Ours::Nothing),
        DEFAULT_SCRIPTS => Ok(Ours::NotNeeded("/usr/libexec/s2i is looked at where the image says nothing")),
        _ => Err(refused("image-scripts-url", value, "`--scripts-url`, or a label of the image")),
    }
}

pub(super) fn log_level(value: &str) -> Result<Ours, StiError> {
    match value.parse::<i32>() {
        Ok(..=0) => Ok(Ours::Nothing),
        Ok(_) => Ok(Ours::NotNeeded("steps and output of scripts are always told; `--debug` tells more")),
        Err(_) => Err(refused("loglevel", value, "a number from 0 to 5")),
    }
}

pub(super) fn runtime_artifact(value: &str) -> Result<Ours, StiError> {
    Ok(Ours::Flag("runtime-artifact", pieces("runtime-artifact", value)?))
}

pub(super) fn inject(value: &str) -> Result<Ours, StiError> {
    Ok(Ours::Flag("inject", pieces("inject", value)?))
}

/// One value may hold several, with `;` between them, and quotes around a half of each.
fn pieces(flag: &str, value: &str) -> Result<Vec<String>, StiError> {
    let unquoted = |half: &str| half.trim_matches(['"', '\'']).to_owned();
    let piece = |piece: &str| match piece.rsplit_once(':') {
        _ if piece.is_empty() => Err(refused(flag, value, "FROM:TO, and several with `;` between them")),
        Some((from, to)) => Ok(format!("{}:{}", unquoted(from), unquoted(to))),
        None => Ok(unquoted(piece)),
    };
    value.split(';').map(piece).collect()
}

fn refused(flag: &str, value: &str, instead: &str) -> StiError {
    StiError::InvalidArgument {
        what: format!("`--{flag}` cannot be `{}`", value.escape_debug()),
        hint: Some(format!("--{flag} takes {instead}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ours: Result<Ours, StiError>, flag: &str, values: &[&str]) {
        match ours.expect("it is understood") {
            Ours::Flag(found, given) => {
                assert_eq!((found, given), (flag, values.iter().map(|&value| value.to_owned()).collect()));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_are_said_in_our_way() {
        check(variable(" A = 1,B=2 "), "env-whole", &["A=1,B=2"]);
        check(pull("if-not-present"), "pull", &["missing"]);
        check(pull("never"), "pull", &["never"]);
        check(network("bridge"), "network", &["outgoing"]);
        check(inject("/a:/b;\"/c\":'/d'"), "inject", &["/a:/b", "/c:/d"]);
        check(runtime_artifact("/opt/app"), "runtime-artifact", &["/opt/app"]);
    }

    #[test]
    fn what_cannot_be_said_is_refused_with_what_can() {
        for (outcome, hint) in [
            (pull("missing"), "--pull-policy takes always, never or if-not-present"),
            (network("host"), "--network takes bridge or none: no build is granted another network"),
            (variable("A"), "-e NAME=VALUE"),
            (variable(" =1"), "-e NAME=VALUE"),
            (inject("/a:/b;"), "--inject takes FROM:TO, and several with `;` between them"),
            (log_level("much"), "--loglevel takes a number from 0 to 5"),
        ] {
            assert_eq!(outcome.expect_err(hint).hint().as_deref(), Some(hint));
        }
        assert!(exclude("").is_err() && exclude("test").is_err() && exclude(DEFAULT_EXCLUDE).is_ok());
        assert!(image_scripts("image:///opt").is_err() && image_scripts("image:///usr/libexec/s2i/").is_ok());
    }
}

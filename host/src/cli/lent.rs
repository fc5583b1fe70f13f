//! What the user lends the scripts of a build and no image keeps: `--build-env`, `--secret`, `--inject`.

use std::{
    collections::BTreeMap,
    env, fs,
    io::Read,
    path::{Path, PathBuf},
};

use cap_std::{ambient_authority, fs::Dir};
use clap::Args;
use sti_core::{
    Secret, Variable,
    plan::PlanFile,
    secret::{SHORTEST, is_name},
};

use super::environment;
use crate::StiError;

/// More is no secret, but something to build with.
const MOST_BYTES: u64 = 1 << 20;
const MOST_INJECTED_BYTES: u64 = 16 << 20;
const MOST_INJECTED_FILES: usize = 1_000;
const MOST_LEVELS: usize = 32;

#[derive(Debug, Default, Args)]
pub(crate) struct Lent {
    /// A variable for the scripts that the product does not keep; repeatable
    ///
    /// Written as with `--env`. A name belongs to one of both. Only with `--strategy commit`, as the two below: what instructions of a
    /// Dockerfile use stands in the history of the image.
    #[arg(long, value_name = "NAME=VALUE", help_heading = "For the scripts only")]
    pub(crate) build_env: Vec<String>,
    /// A secret that the scripts find at /run/secrets/NAME: `id=NAME,src=FILE` or `id=NAME,env=VARIABLE`; repeatable
    ///
    /// It is in memory where the engine can do that, belongs to who the script runs as, and is in no layer, log or plan. Products are searched
    /// for it before they are tagged, and one that holds it fails the build.
    #[arg(long, value_name = "id=NAME,src=FILE", help_heading = "For the scripts only")]
    pub(crate) secret: Vec<String>,
    /// A directory or file that the scripts find in the directory DEST, kept as secrets are; repeatable
    ///
    /// DEST is absolute, or below the working directory of the image. What the image has there is hidden meanwhile. Links that lead out of
    /// SRC are an error.
    #[arg(long, value_name = "SRC:DEST", help_heading = "For the scripts only")]
    pub(crate) inject: Vec<String>,
}

/// The same, read.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) environment: Vec<Variable>,
    pub(super) secrets: BTreeMap<String, Secret>,
    pub(super) injected: Vec<Variable>,
}

/// Reads everything, so that whatever is missing is told before any work; `kept` are the variables that stay in the product.
pub(super) fn read(flags: &Lent, kept: &[Variable]) -> Result<Given, StiError> {
    let mut read = Given { environment: build_environment(&flags.build_env, kept)?, ..Given::default() };
    for given in &flags.secret {
        let (name, bytes) = secret(given)?;
        if read.secrets.insert(name.clone(), Secret::value(bytes)).is_some() {
            return Err(refused(format!("there are two secrets `{name}`"), SECRET));
        }
    }
    for given in &flags.inject {
        let (source, at) = given
            .rsplit_once(':')
            .filter(|(source, at)| !source.is_empty() && !at.is_empty())
            .ok_or_else(|| refused(format!("`--inject {}` is not of the form SRC:DEST", given.escape_debug()), INJECT))?;
        let name = format!("inject:{at}");
        if read.secrets.insert(name.clone(), injected(Path::new(source))?).is_some() {
            return Err(refused(format!("two directories are injected at `{at}`"), INJECT));
        }
        read.injected.push(Variable::new(name, at));
    }
    Ok(read)
}

const SECRET: &str = "--secret id=NAME,src=FILE, or id=NAME,env=VARIABLE";
const INJECT: &str = "--inject SRC:DEST";

fn refused(what: String, hint: &str) -> StiError {
    StiError::InvalidArgument { what, hint: Some(hint.to_owned()) }
}

fn build_environment(given: &[String], kept: &[Variable]) -> Result<Vec<Variable>, StiError> {
    let mut all = Vec::new();
    for given in given {
        all.extend(environment::variables(given)?);
    }
    let all = environment::merged(all);
    match all.iter().find(|variable| kept.iter().any(|kept| kept.name == variable.name)) {
        None => Ok(all),
        Some(variable) => Err(StiError::InvalidEnvironment {
            what: format!(
                "`{}` is given by `--env` and by `--build-env`: it cannot stay in the product and not stay",
                variable.name
            ),
            hint: Some("leave one of them out".to_owned()),
        }),
    }
}

/// Reads `id=NAME,src=FILE` or `id=NAME,env=VARIABLE`, in any order, and the bytes that it means.
fn secret(given: &str) -> Result<(String, Vec<u8>), StiError> {
    let malformed = |why: String| Err(refused(format!("`--secret {}`: {why}", given.escape_debug()), SECRET));
    let (mut name, mut file, mut variable) = (None, None, None);
    for piece in given.split(',') {
        let Some((key, value)) = piece.split_once('=') else { return malformed(format!("`{piece}` has no `=`")) };
        let place = match key {
            "id" => &mut name,
            "src" | "source" => &mut file,
            "env" => &mut variable,
            "type" if value == "file" && variable.is_none() => continue,
            _ => return malformed(format!("`{key}` means nothing here")),
        };
        if place.replace(value).is_some() {
            return malformed(format!("`{key}` is there twice"));
        }
    }
    let Some(name) = name.filter(|name| is_name(name)) else {
        return malformed("the name after `id=` is of letters, digits, `.`, `_` and `-`".to_owned());
    };
    let bytes = match (file, variable) {
        (Some(file), None) => bytes_of(Path::new(file))?,
        (None, Some(variable)) => match env::var_os(variable) {
            Some(value) => value.into_encoded_bytes(),
            None => return malformed(format!("there is no variable `{variable}`")),
        },
        _ => return malformed("it takes one of `src=` and `env=`".to_owned()),
    };
    if bytes.trim_ascii_end().len() < SHORTEST {
        return malformed(format!("it has less than {SHORTEST} bytes, which cannot be told from chance in what is built"));
    }
    Ok((name.to_owned(), bytes))
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, StiError> {
    let not_read = |why: String| refused(format!("cannot read the secret in `{}`: {why}", path.display()), SECRET);
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| not_read(error.to_string()))?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| not_read(error.to_string()))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(not_read(format!("it has more than {MOST_BYTES} bytes")));
    }
    Ok(bytes)
}

/// A directory's files, or one file by its name. Links are followed as long as they stay within.
fn injected(source: &Path) -> Result<Secret, StiError> {
    let not_read = |path: &Path, why: String| refused(format!("cannot inject `{}`: {why}", path.display()), INJECT);
    let metadata = fs::metadata(source).map_err(|error| not_read(source, error.to_string()))?;
    let mut reading = Reading { shown: source.to_owned(), files: Vec::new(), bytes: 0 };
    if metadata.is_dir() {
        let dir = Dir::open_ambient_dir(source, ambient_authority()).map_err(|error| not_read(source, error.to_string()))?;
        reading.directory(&dir, "", 0).map_err(|(path, why)| not_read(&path, why))?;
        return Ok(Secret::directory(reading.files));
    }
    let real = source.canonicalize().map_err(|error| not_read(source, error.to_string()))?;
    let (Some(parent), Some(name)) = (real.parent(), source.file_name()) else {
        return Err(not_read(source, "it has no name".to_owned()));
    };
    let dir = Dir::open_ambient_dir(parent, ambient_authority()).map_err(|error| not_read(source, error.to_string()))?;
    let own = real.file_name().unwrap_or(name);
    reading.file(&dir, own.as_ref(), &name.to_string_lossy()).map_err(|(path, why)| not_read(&path, why))?;
    Ok(Secret::directory(reading.files))
}

/// The files of a directory, as far as they were read.
struct Reading {
    shown: PathBuf,
    files: Vec<PlanFile>,
    bytes: u64,
}

type Unread = (PathBuf, String);

impl Reading {
    fn directory(&mut self, dir: &Dir, below: &str, level: usize) -> Result<(), Unread> {
        let unread = |why: String| (self.shown.join(below), why);
        if level > MOST_LEVELS {
            return Err(unread(format!("it is more than {MOST_LEVELS} directories deep")));
        }
        let mut names = Vec::new();
        for entry in dir.read_dir(if below.is_empty() { "." } else { below }).map_err(|error| unread(error.to_string()))? {
            let name = entry.map_err(|error| unread(error.to_string()))?.file_name();
            let no_text =
                |name: std::ffi::OsString| unread(format!("the name of `{}` is no text", name.to_string_lossy().escape_debug()));
            names.push(name.into_string().map_err(no_text)?);
        }
        names.sort();
        // `..data` and its kind are how Kubernetes changes mounted secrets at once; what they lead to is there by its own names.
        for name in names.iter().filter(|name| !name.starts_with("..")) {
            let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
            let unread = |error: std::io::Error| (self.shown.join(&path), error.to_string());
            let is_directory = dir.metadata(&path).map_err(unread)?.is_dir();
            let is_link = dir.symlink_metadata(&path).map_err(unread)?.is_symlink();
            match (is_directory, is_link) {
                (true, true) => return Err((self.shown.join(&path), "it is a link to a directory".to_owned())),
                (true, false) => self.directory(dir, &path, level + 1)?,
                (false, _) => self.file(dir, path.as_ref(), &path)?,
            }
        }
        Ok(())
    }

    fn file(&mut self, dir: &Dir, name: &Path, path: &str) -> Result<(), Unread> {
        let unread = |why: String| (self.shown.join(path), why);
        let metadata = dir.metadata(name).map_err(|error| unread(error.to_string()))?;
        if !metadata.is_file() {
            return Err(unread("it is no file".to_owned()));
        }
        let left = MOST_INJECTED_BYTES.saturating_sub(self.bytes);
        let mut bytes = Vec::new();
        let file = dir.open(name).map_err(|error| unread(error.to_string()))?;
        file.take(left + 1).read_to_end(&mut bytes).map_err(|error| unread(error.to_string()))?;
        if bytes.len() as u64 > left || self.files.len() >= MOST_INJECTED_FILES {
            return Err(unread(format!(
                "it would be more than {MOST_INJECTED_BYTES} bytes or {MOST_INJECTED_FILES} files in all"
            )));
        }
        self.bytes += bytes.len() as u64;
        let mode = cap_std::fs::MetadataExt::mode(&metadata) & 0o777;
        self.files.push(PlanFile { path: path.to_owned(), mode, bytes });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(build_env: &[&str], secret: &[&str], inject: &[&str]) -> Lent {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Lent { build_env: words(build_env), secret: words(secret), inject: words(inject) }
    }

    fn check_refuses(flags: &Lent, says: &str) {
        let error = read(flags, &[Variable::new("KEPT", "1")]).expect_err(says);
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(error.condition().exit, 2);
    }

    #[test]
    fn a_variable_stays_or_does_not() {
        let read = read(&flags(&["A=1,B=2", "A=3"], &[], &[]), &[]).unwrap();
        assert_eq!(read.environment, [Variable::new("A", "3"), Variable::new("B", "2")]);
        check_refuses(&flags(&["KEPT=2"], &[], &[]), "`KEPT` is given by `--env` and by `--build-env`");
        check_refuses(&flags(&["nonsense"], &[], &[]), "is not of the form NAME=VALUE");
    }

    #[test]
    fn a_secret_has_a_name_and_one_place_it_comes_from() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("token").display().to_string();
        fs::write(&file, "hush hush\n").unwrap();
        let good = read(&flags(&[], &[&format!("src={file},id=my.token"), "id=path,env=PATH"], &[]), &[]).unwrap();
        assert_eq!(good.secrets["my.token"], Secret::value(b"hush hush\n".to_vec()));
        assert_eq!(good.secrets["path"], Secret::value(env::var("PATH").unwrap().into_bytes()));
        let short = home.path().join("short").display().to_string();
        fs::write(&short, "abc\n").unwrap();
        for (given, says) in [
            ("id=a".to_owned(), "one of `src=` and `env="),
            (format!("id=a,src={file},env=PATH"), "one of `src=` and `env="),
            (format!("src={file}"), "the name after `id=`"),
            (format!("id=../x,src={file}"), "the name after `id=`"),
            (format!("id=..,src={file}"), "the name after `id=`"),
            (format!("id=,src={file}"), "the name after `id=`"),
            (format!("id=a,id=b,src={file}"), "`id` is there twice"),
            (format!("id=a,src={file},mode=0777"), "`mode` means nothing here"),
            ("id=a,src=/nonexistent".to_owned(), "cannot read the secret in `/nonexistent`"),
            ("id=a,env=STI_NO_SUCH_VARIABLE".to_owned(), "there is no variable `STI_NO_SUCH_VARIABLE`"),
            (format!("id=a,src={short}"), "less than 4 bytes"),
            ("nonsense".to_owned(), "`nonsense` has no `=`"),
        ] {
            check_refuses(&flags(&[], &[&given], &[]), says);
        }
        let twice = format!("id=a,src={file}");
        check_refuses(&flags(&[], &[&twice, &twice], &[]), "there are two secrets `a`");
    }

    #[test]
    fn what_is_injected_stays_within_its_directory() {
        let home = tempfile::tempdir().unwrap();
        let top = home.path().join("keys");
        fs::create_dir_all(top.join("sub")).unwrap();
        fs::create_dir_all(top.join("..2026")).unwrap();
        fs::write(top.join("a"), "1").unwrap();
        fs::write(top.join("sub/b"), "22").unwrap();
        fs::write(top.join("..2026/c"), "333").unwrap();
        std::os::unix::fs::symlink("..2026", top.join("..data")).unwrap();
        std::os::unix::fs::symlink("..data/c", top.join("c")).unwrap();
        std::os::unix::fs::symlink("../a", top.join("sub/again")).unwrap();
        let given = |source: &Path| format!("{}:/opt/keys", source.display());
        let good = read(&flags(&[], &[], &[&given(&top)]), &[]).unwrap();
        assert_eq!(good.injected, [Variable::new("inject:/opt/keys", "/opt/keys")]);
        let files = good.secrets["inject:/opt/keys"].files();
        let files: Vec<_> = files.iter().map(|file| (file.path.as_str(), file.bytes.len())).collect();
        assert_eq!(files, [("a", 1), ("c", 3), ("sub/again", 1), ("sub/b", 2)]);
        let one = read(&flags(&[], &[], &[&given(&top.join("sub/b"))]), &[]).unwrap();
        assert_eq!(one.secrets["inject:/opt/keys"].files()[0].path, "b");

        check_refuses(&flags(&[], &[], &["keys"]), "is not of the form SRC:DEST");
        check_refuses(&flags(&[], &[], &[&given(Path::new("/nonexistent"))]), "cannot inject `/nonexistent`");
        check_refuses(&flags(&[], &[], &[&given(&top), &given(&top)]), "two directories are injected at `/opt/keys`");
        let decoy = home.path().join("decoy");
        fs::write(&decoy, "outside").unwrap();
        std::os::unix::fs::symlink("../decoy", top.join("out")).unwrap();
        check_refuses(&flags(&[], &[], &[&given(&top)]), "keys/out`");
    }
}

//! What surrounds the process: variables, directories of the user, ids. Read here once, and handed down as values.

use std::{
    env,
    ffi::OsString,
    fs,
    io::{self, IsTerminal},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use cap_std::{
    ambient_authority,
    fs::{Dir, MetadataExt},
};
use sti_core::{BuildId, Progress, progress::Level};
use sti_docker::{Candidate, DockerEngine};
use sti_engine::Engine;
use sti_policy::{Policy, Which, Whose};
use sti_sandbox::{Limits, Sandbox};

use super::{
    args::{Color, EngineChoice, Place},
    installed,
};
use crate::{Host, Lives, Plugins, StiError};

/// Whether the user has not asked for plain text by `NO_COLOR` (<https://no-color.org>) or a terminal without colours.
fn wants_colours() -> bool {
    let is_asked_not_to = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !is_asked_not_to && env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// Whether standard error takes colours.
pub(super) fn has_colours(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => wants_colours() && std::io::stderr().is_terminal(),
    }
}

/// The directories that `sti` keeps things in.
pub(super) struct Directories {
    /// Compiled plugins, and answers about images: can be lost.
    pub(super) cache: PathBuf,
    /// Locks of builds.
    pub(super) state: PathBuf,
}

impl Directories {
    /// By the XDG base directory specification, version 0.8: `XDG_CACHE_HOME` and `XDG_STATE_HOME`, else below `HOME`.
    pub(super) fn of_user() -> Option<Self> {
        let home = env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        let base =
            |variable: &str, below_home: &str| absolute(env::var_os(variable)).or_else(|| Some(home.clone()?.join(below_home)));
        Some(Self {
            cache: base("XDG_CACHE_HOME", ".cache")?.join("sti"),
            state: base("XDG_STATE_HOME", ".local/state")?.join("sti"),
        })
    }
}

fn absolute(value: Option<OsString>) -> Option<PathBuf> {
    value.map(PathBuf::from).filter(|path| path.is_absolute())
}

/// Makes a directory that only the user can look into, where it is missing, and opens it.
pub(super) fn private_dir(path: &Path) -> Result<Dir, StiError> {
    let dir = made(path).map_err(|error| StiError::InvalidArgument {
        what: format!("cannot keep anything in `{}`: {error}", path.display()),
        hint: Some("set XDG_CACHE_HOME and XDG_STATE_HOME to directories that you can write".to_owned()),
    })?;
    trusted(dir, path)
}

/// The same, and nothing where it cannot be made or written, as in a read-only home: a build does without.
pub(super) fn private_dir_if_any(path: &Path) -> Result<Option<Dir>, StiError> {
    made(path).ok().filter(is_writable).map(|dir| trusted(dir, path)).transpose()
}

fn is_writable(dir: &Dir) -> bool {
    rustix::fs::accessat(dir, ".", rustix::fs::Access::WRITE_OK, rustix::fs::AtFlags::empty()).is_ok()
}

fn made(path: &Path) -> io::Result<Dir> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    Dir::open_ambient_dir(path, ambient_authority())
}

/// What somebody else could have written is not believed.
fn trusted(dir: Dir, path: &Path) -> Result<Dir, StiError> {
    let refused = |why: String| StiError::InvalidArgument {
        what: format!("the directory `{}` cannot be trusted: {why}", path.display()),
        hint: Some(format!("remove it, or make it yours and private: chown, chmod 0700 {}", path.display())),
    };
    let metadata = dir.dir_metadata().map_err(|error| refused(error.to_string()))?;
    let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != user {
        return Err(refused(format!("it belongs to user {owner}, and this is user {user}")));
    }
    match metadata.mode() & 0o7777 {
        mode if mode & 0o022 != 0 => Err(refused(format!("others can write in it (mode {mode:04o})"))),
        _ => Ok(dir),
    }
}

/// A host as the flags and the surroundings make it, without an engine.
pub(super) struct Workplace {
    pub(super) plugins: Plugins,
    pub(super) policy: Policy,
    pub(super) lives: Option<Lives>,
}

/// Sandbox, policy and locks, as this user has them.
pub(super) fn workplace(policy: Option<&Path>) -> Result<Workplace, StiError> {
    let directories = Directories::of_user();
    let (store, lives) = match directories {
        None => (None, None),
        Some(directories) => {
            let (cache, state) = (directories.cache.join("plugins"), directories.state.join("builds"));
            // The sandbox holds its store to more than this, and in its own words.
            (made(&cache).ok().filter(is_writable), private_dir_if_any(&state)?)
        }
    };
    let sandbox = Sandbox::new(sti_sandbox::Settings { store, limits: Limits::default() })?;
    let policy = read_policy(policy)?;
    let plugins = Plugins::new(sandbox).with_installed(installed::read_all(&policy)?);
    Ok(Workplace { plugins, policy, lives: lives.map(Lives::new) })
}

/// The policy that holds: the site's, else the one that the user names, else none.
pub(super) fn read_policy(flag: Option<&Path>) -> Result<Policy, StiError> {
    let absent = |error: &io::Error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    // A site policy that we may not see holds all the same: reading it then says so.
    let site_exists = !fs::symlink_metadata(sti_policy::SITE_FILE).is_err_and(|error| absent(&error));
    let variable = env::var_os("STI_POLICY").filter(|value| !value.is_empty()).map(PathBuf::from);
    let (path, whose) = match sti_policy::choose(site_exists, flag, variable.as_deref())? {
        Which::None => return Ok(Policy::none()),
        Which::Site => (PathBuf::from(sti_policy::SITE_FILE), Whose::Site),
        Which::Named(path) => (path, Whose::User),
    };
    let (parent, name) = (path.parent().filter(|parent| !parent.as_os_str().is_empty()), path.file_name());
    let dir = Dir::open_ambient_dir(parent.unwrap_or(Path::new(".")), ambient_authority());
    let not_read = |why: String| StiError::InvalidArgument {
        what: format!("cannot read the policy file `{}`: {why}", path.display()),
        hint: Some("a policy that cannot be read allows nothing".to_owned()),
    };
    let dir = dir.map_err(|error| not_read(error.to_string()))?;
    let name = name.and_then(|name| name.to_str()).ok_or_else(|| not_read("it has no file name".to_owned()))?;
    Ok(Policy::load(&dir, name, &path, whose)?)
}

/// Finds the engine and makes ready for one build.
pub(super) async fn host(place: &Place, build: &BuildId, progress: Arc<dyn Progress>) -> Result<Host, StiError> {
    let Workplace { plugins, policy, lives } = workplace(place.policy.as_deref())?;
    if lives.is_none() {
        let what = "nothing can be kept in this home: should this build be killed, nobody finds what it leaves (`sti doctor`)";
        progress.say(Level::Warning, what.to_owned());
    }
    let engine = engine(place, build, progress).await?;
    Ok(Host::new(plugins, policy, engine, lives))
}

/// Connects to the engine that was named, or to the first that answers.
pub(super) async fn engine(place: &Place, build: &BuildId, progress: Arc<dyn Progress>) -> Result<Arc<dyn Engine>, StiError> {
    if place.engine == EngineChoice::Embedded {
        return Err(StiError::InvalidArgument {
            what: "this version of sti has no embedded engine".to_owned(),
            hint: Some("--engine docker, with Docker or Podman running".to_owned()),
        });
    }
    let memory = match Directories::of_user() {
        Some(directories) => private_dir_if_any(&directories.cache.join("images"))?,
        None => None,
    };
    let settings = |candidate: &Candidate| sti_docker::Settings {
        endpoint: candidate.endpoint.clone(),
        tls: candidate.tls.clone(),
        build: build.clone(),
        owner: owner(),
        memory,
        requests_told: Some(progress),
    };
    Ok(Arc::new(DockerEngine::find(&docker_surroundings(place.url.clone()), settings).await?))
}

fn docker_surroundings(given: Option<String>) -> sti_docker::Surroundings {
    let text = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    sti_docker::Surroundings {
        given,
        docker_host: text("DOCKER_HOST"),
        docker_tls_verify: text("DOCKER_TLS_VERIFY"),
        docker_cert_path: text("DOCKER_CERT_PATH").map(PathBuf::from),
        docker_context: text("DOCKER_CONTEXT"),
        docker_directory: docker_directory(),
        runtime_directory: absolute(env::var_os("XDG_RUNTIME_DIR")),
    }
}

fn docker_directory() -> Option<(Dir, PathBuf)> {
    let configured = env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let path = configured.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".docker")))?;
    Some((Dir::open_ambient_dir(&path, ambient_authority()).ok()?, path))
}

/// Names whose builds these are. Where nothing can be kept it is a name that nobody has again: nobody judges these builds.
pub(super) fn owner() -> String {
    let builds = Directories::of_user().and_then(|directories| private_dir(&directories.state.join("builds")).ok());
    let kept = builds.and_then(|dir| Lives::new(dir).owner().ok());
    kept.unwrap_or_else(|| BuildId::draw().to_string())
}

//! One test's own corner of the machine: a home, an engine with labels, names that nobody else uses. Dropping it removes all of it.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::{
        Condvar, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use serde_json::{Value, json};
use sti_test_engine::{Ended, Engine, Image};
use tempfile::TempDir;

use crate::{Builder, Outcome, Running, built_fixture, built_sti, leftovers::Trace, scrub::scrub};

/// As many labs are open at a time: the machine of the tests has few cores, and an engine that is busy is slow in a different way.
const OPEN_AT_ONCE: u32 = 3;

/// What is left after a clean-up that ends behind the answer is gone after so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// One test's own corner of the machine.
#[derive(Debug)]
pub struct Lab {
    id: String,
    label: String,
    root: TempDir,
    engine: Engine,
    since: u64,
    /// Images that bore a name of this lab at some time: the product of an earlier build is no leftover of the next.
    products: Mutex<BTreeSet<String>>,
    /// Numbers images and sources.
    made: AtomicU32,
    _turn: Turn,
}

impl Lab {
    /// Opens a lab on the engine of the environment.
    pub fn new() -> Self {
        Self::on(Engine::of_environment())
    }

    /// Opens a lab on another engine.
    pub fn on(engine: Engine) -> Self {
        static LABS: AtomicU32 = AtomicU32::new(1);
        let turn = Turn::take();
        let id = format!("{}-{}", process::id(), LABS.fetch_add(1, Relaxed));
        let root = tempfile::Builder::new().prefix("sti-lab-").tempdir().expect("a temporary directory");
        for name in ["home", "temp", "run"] {
            fs::create_dir(root.path().join(name)).expect("a directory in a fresh directory");
        }
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock that was set").as_secs();
        let label = format!("sti.test={id}");
        Self { id, label, root, engine, since, products: Mutex::default(), made: AtomicU32::new(1), _turn: turn }
    }

    /// Makes a builder image. Answers its name.
    #[expect(clippy::needless_pass_by_value, reason = "it is described where it is made, and not needed again")]
    pub fn builder(&self, builder: Builder) -> String {
        self.import(&builder.image(&built_fixture(), &self.label))
    }

    /// Makes an image of any content; it should bear [`Lab::label`]. Answers its name.
    pub fn import(&self, image: &Image) -> String {
        let name = self.tag(&format!("builder-{}", self.made.fetch_add(1, Relaxed)));
        self.engine.import(image, &name).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        name
    }

    /// Writes a source directory of files by relative path; a path that ends in `/` makes an empty directory. Answers its path.
    pub fn source(&self, files: &[(&str, &str)]) -> String {
        let top = self.root.path().join(format!("source-{}", self.made.fetch_add(1, Relaxed)));
        fs::create_dir(&top).expect("a directory of a new name");
        for (path, text) in files {
            let path = top.join(path);
            let parent = if path.to_string_lossy().ends_with('/') {
                path.as_path()
            } else {
                path.parent().expect("a path below the source")
            };
            fs::create_dir_all(parent).expect("directories of a source");
            if parent != path {
                fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            }
        }
        top.into_os_string().into_string().expect("a temporary directory with a plain name")
    }

    /// Runs `sti` to its end.
    #[track_caller]
    pub fn sti<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Outcome {
        self.finish(self.start(arguments))
    }

    /// Starts `sti`.
    pub fn start<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Running {
        let mut command = self.command();
        command.args(arguments);
        Running::start(command)
    }

    /// Waits for what [`Lab::start`] started, and remembers the products that it made.
    #[track_caller]
    pub fn finish(&self, running: Running) -> Outcome {
        let outcome = running.wait();
        self.remember_products();
        outcome
    }

    /// `sti` without arguments in the lab's environment, which holds nothing of the user's. To be changed, then started by [`Lab::run_command`].
    pub fn command(&self) -> Command {
        self.command_of(built_sti())
    }

    /// The same for a copy of `sti`.
    pub fn command_of(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(self.root.path()).envs(self.environment());
        command
    }

    /// Runs a command that was made by [`Lab::command`].
    #[track_caller]
    pub fn run_command(&self, command: Command) -> Outcome {
        self.finish(Running::start(command))
    }

    /// The full name that `name` stands for in this lab.
    pub fn tag(&self, name: &str) -> String {
        if name.contains('/') { name.to_owned() } else { format!("sti-test/{}/{name}:1", self.id) }
    }

    /// The label that everything of this lab bears, as `NAME=VALUE`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The engine, to be looked at from outside.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The lab's directory: `home`, `temp`, `run`, and the sources.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// What the engine says of the image that bears a name of this lab.
    pub fn inspect(&self, name: &str) -> Option<Value> {
        self.engine.find(&format!("/images/{}/json", self.tag(name))).expect("an engine that answers")
    }

    /// The id of the image that bears a name of this lab.
    pub fn image_id(&self, name: &str) -> Option<String> {
        Some(self.inspect(name)?["Id"].as_str().expect("an image with an id").to_owned())
    }

    /// Runs a container of an image as `docker run` without arguments would, to its end.
    #[track_caller]
    pub fn run(&self, name: &str) -> Ended {
        self.engine.run(&json!({ "Image": self.tag(name) })).unwrap_or_else(|error| panic!("{name}: {error:#}"))
    }

    /// Runs other verbs of the fixture in an image, past its command and entrypoint.
    #[track_caller]
    pub fn run_verbs(&self, name: &str, verbs: &str) -> Ended {
        let command = verbs.split_whitespace().collect::<Vec<_>>();
        let request = json!({ "Image": self.tag(name), "Entrypoint": ["/usr/bin/fixture"], "Cmd": command });
        self.engine.run(&request).unwrap_or_else(|error| panic!("{name}: {error:#}"))
    }

    /// Reads a text file out of an image; `None` where there is none.
    #[track_caller]
    pub fn product_file(&self, name: &str, path: &str) -> Option<String> {
        let read = self.engine.read_file(&self.tag(name), path, &json!({})).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        Some(String::from_utf8_lossy(&read?).into_owned())
    }

    /// Output with what differs from run to run replaced by tokens, fit for a snapshot.
    pub fn scrub(&self, text: &str) -> String {
        let root = self.root.path().to_string_lossy();
        scrub(text, &[(root.as_ref(), "[lab]"), (&format!("sti-test/{}/", self.id), "[names]/"), (self.engine.url(), "[engine]")])
    }

    /// Fails the test unless the engine holds nothing of the lab's builds but images that bear or bore a name, and the directory for
    /// temporary files is empty.
    #[track_caller]
    pub fn assert_nothing_left(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = self.leftovers().expect("an engine that answers");
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "left behind: {left:#?}");
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// What the engine holds of the lab's builds beyond images that bear or bore a name, and temporary files.
    pub fn leftovers(&self) -> anyhow::Result<Vec<String>> {
        let trace = self.trace();
        let products = self.products.lock().expect("no holder panics");
        let containers = trace.containers()?.into_iter().map(|id| format!("container {id}"));
        let volumes = trace.volumes(&trace.builds()?)?.into_iter().map(|name| format!("volume {name}"));
        let images = trace.images(true)?.into_iter().filter(|id| !products.contains(id)).map(|id| format!("image {id}"));
        let files =
            fs::read_dir(self.root.path().join("temp"))?.flatten().map(|entry| format!("file {}", entry.path().display()));
        Ok(containers.chain(volumes).chain(images).chain(files).collect())
    }

    fn trace(&self) -> Trace<'_> {
        Trace { engine: &self.engine, label: &self.label, since: self.since }
    }

    fn remember_products(&self) {
        let images = self.engine.get("/images/json").unwrap_or_default();
        let prefix = format!("sti-test/{}/", self.id);
        let is_ours = |image: &&Value| image["RepoTags"].to_string().contains(&prefix);
        let ids =
            images.as_array().into_iter().flatten().filter(is_ours).filter_map(|image| image["Id"].as_str().map(str::to_owned));
        self.products.lock().expect("no holder panics").extend(ids);
    }

    fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        let place = |name: &str| self.root.path().join(name);
        vec![
            ("PATH", env::var_os("PATH").unwrap_or_default().into()),
            ("DOCKER_HOST", self.engine.url().into()),
            ("HOME", place("home")),
            ("XDG_CONFIG_HOME", place("home/.config")),
            ("XDG_CACHE_HOME", place("home/.cache")),
            ("XDG_STATE_HOME", place("home/.local/state")),
            ("XDG_DATA_HOME", place("home/.local/share")),
            ("XDG_RUNTIME_DIR", place("run")),
            ("TMPDIR", place("temp")),
            ("LANG", "C.UTF-8".into()),
        ]
    }

    fn remove_everything(&self) -> anyhow::Result<()> {
        let trace = self.trace();
        let builds = trace.builds()?;
        for id in trace.containers()? {
            self.engine.remove_container(&id)?;
        }
        for name in trace.volumes(&builds)? {
            self.engine.delete(&format!("/volumes/{name}?force=1"))?;
        }
        self.remove_images(trace.images(false)?)
    }
}

impl Lab {
    /// Those that others stand on go in a later round: what was made within a second comes in any order.
    fn remove_images(&self, ids: Vec<String>) -> anyhow::Result<()> {
        let mut left = ids;
        while !left.is_empty() {
            let before = left.len();
            let mut refusal = None;
            left.retain(|id| self.engine.remove_image(id).map_err(|error| refusal = Some(error)).is_err());
            match refusal {
                Some(refusal) if left.len() == before => return Err(refusal),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Default for Lab {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // A second failure in a test that failed already would hide the first.
        if let Err(error) = self.remove_everything()
            && !thread::panicking()
        {
            panic!("the lab {} cannot be cleaned up: {error:#}", self.id);
        }
    }
}

/// One of the places for labs that are open at the same time.
#[derive(Debug)]
struct Turn;

static OPEN: Mutex<u32> = Mutex::new(0);
static CLOSED: Condvar = Condvar::new();

impl Turn {
    fn take() -> Self {
        let open = OPEN.lock().expect("no holder panics");
        let mut open = CLOSED.wait_while(open, |open| *open >= OPEN_AT_ONCE).expect("no holder panics");
        *open += 1;
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *OPEN.lock().expect("no holder panics") -= 1;
        CLOSED.notify_one();
    }
}

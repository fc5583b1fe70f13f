//! Attacks that want what was not granted. Each plans as if it had been, and leaves it to the host to refuse.

use sti_plugin::{Image, Job, Network, Plan, Problem, Pull, Run, require};

use crate::exhaustion::deliver;

/// A container of the builder image, with an ordinary command.
fn run(job: &Job, plan: &Plan) -> Result<Run, Problem> {
    Ok(plan.run("prepare", &builder(job)?)?.command(["/usr/bin/prepare"]))
}

pub(crate) fn builder(job: &Job) -> Result<Image, Problem> {
    require(&job.builder_image(), Pull::AsAsked)
}

/// Looks at an image that nobody named.
pub(crate) fn look_at_another_image(_: &Job, plan: &Plan) -> Result<(), Problem> {
    let image = require("registry.example.com/not/named:1", Pull::AsAsked)?;
    deliver(plan, plan.run("prepare", &image)?.command(["/usr/bin/prepare"]).commit())
}

/// Declares a product whose name would lead to another tag.
pub(crate) fn tag_another_image(job: &Job, plan: &Plan) -> Result<(), Problem> {
    let made = run(job, plan)?.commit();
    plan.product("app", &made)?;
    plan.product("../other:latest", &made)
}

/// Runs as root where the image does not.
pub(crate) fn run_as_root(job: &Job, plan: &Plan) -> Result<(), Problem> {
    deliver(plan, run(job, plan)?.user("0:0").commit())
}

/// Wants the network where the user gave none.
pub(crate) fn reach_the_network(job: &Job, plan: &Plan) -> Result<(), Problem> {
    deliver(plan, run(job, plan)?.network(Network::Outgoing).commit())
}

/// Mounts over what the kernel tells.
pub(crate) fn mount_over_proc(job: &Job, plan: &Plan) -> Result<(), Problem> {
    mount(job, plan, "/proc/self")
}

/// Names a path that leads elsewhere once its dots are followed.
pub(crate) fn climb_out_by_dots(job: &Job, plan: &Plan) -> Result<(), Problem> {
    mount(job, plan, "/proc/../etc")
}

/// Mounts where an engine's socket would be.
pub(crate) fn mount_over_the_engines_socket(job: &Job, plan: &Plan) -> Result<(), Problem> {
    mount(job, plan, "/sys/fs/cgroup")
}

/// Names a path that begins nowhere.
pub(crate) fn mount_at_a_relative_path(job: &Job, plan: &Plan) -> Result<(), Problem> {
    mount(job, plan, "tmp/src")
}

fn mount(job: &Job, plan: &Plan, at: &str) -> Result<(), Problem> {
    deliver(plan, run(job, plan)?.mount(&plan.source(), at)?.commit())
}

/// Captures what the kernel tells.
pub(crate) fn capture_proc(job: &Job, plan: &Plan) -> Result<(), Problem> {
    let first = run(job, plan)?;
    let captured = first.capture("/proc/1/root")?;
    deliver(plan, run(job, plan)?.mount(&captured, "/tmp/src")?.commit())
}

/// Reads a file that lies above the source.
pub(crate) fn read_above_the_source(job: &Job, _: &Plan) -> Result<(), Problem> {
    let text = job.source().read_text("../decoy.txt", 1000)?;
    Err(Problem::internal("not-stopped", format!("read `{text}`")))
}

/// Takes a secret that nobody named.
pub(crate) fn take_a_secret(job: &Job, plan: &Plan) -> Result<(), Problem> {
    deliver(plan, run(job, plan)?.mount(&plan.secret("not-named")?, "/tmp/secret")?.commit())
}

/// Takes a cache that nobody granted.
pub(crate) fn take_a_cache(job: &Job, plan: &Plan) -> Result<(), Problem> {
    deliver(plan, run(job, plan)?.mount(&plan.cache("not-granted")?, "/tmp/cache")?.commit())
}

/// Hides a second variable, and a line, in the name of the first.
pub(crate) fn smuggle_a_variable(job: &Job, plan: &Plan) -> Result<(), Problem> {
    deliver(plan, run(job, plan)?.environment([("A=1\nLD_PRELOAD", "/tmp/src/library.so")]).commit())
}

/// Claims with the host's own label that another build made the image.
pub(crate) fn forge_a_label_of_the_host(job: &Job, plan: &Plan) -> Result<(), Problem> {
    let made = run(job, plan)?.commit();
    made.label("sti.build", "0123456789abcdef");
    deliver(plan, made)
}

/// Declares the product twice.
pub(crate) fn declare_a_product_twice(job: &Job, plan: &Plan) -> Result<(), Problem> {
    let made = run(job, plan)?.commit();
    plan.product("app", &made)?;
    plan.product("app", &made)
}

/// Answers well, and has planned nothing.
pub(crate) fn plan_nothing(_: &Job, _: &Plan) -> Result<(), Problem> {
    Ok(())
}

/// Runs a container without saying what.
pub(crate) fn run_no_command(job: &Job, plan: &Plan) -> Result<(), Problem> {
    deliver(plan, plan.run("prepare", &builder(job)?)?.commit())
}

/// Looks around in what a component of WASI might be given, and tells what it found: it must be nothing.
pub(crate) fn look_around(_: &Job, _: &Plan) -> Result<(), Problem> {
    let mut found: Vec<String> = std::env::vars().map(|(name, _)| format!("variable {name}")).collect();
    found.extend(std::env::args().map(|argument| format!("argument {argument}")));
    for directory in ["/", ".", "/input", "/tmp"] {
        found.extend(std::fs::read_dir(directory).is_ok().then(|| format!("directory {directory}")));
    }
    let mut line = String::new();
    found.extend(std::io::stdin().read_line(&mut line).is_ok_and(|bytes| bytes > 0).then(|| "standard input".to_owned()));
    let code = if found.is_empty() { "nothing-found" } else { "not-stopped" };
    Err(Problem::internal(code, format!("looked around and found: {}", found.join(", "))))
}

/// Opens a connection to itself, or to whoever listens there.
pub(crate) fn open_a_socket(_: &Job, _: &Plan) -> Result<(), Problem> {
    std::net::TcpStream::connect("127.0.0.1:9")?;
    Err(Problem::internal("not-stopped", "reached a port of the host"))
}

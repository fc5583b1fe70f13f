//! The words of the command line. The documentation comments are the help pages.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum, builder::NonEmptyStringValueParser};
use sti_core::UidRanges;

use super::lent::Lent;

use super::{config::Configured, create::CreateCommand};

/// Turns source code and a builder image into a ready-to-run image.
///
/// Every decision is made by a plugin in a WebAssembly sandbox, and everything with an effect is done by sti itself, after policy
/// approved it. `sti plan` shows what a build would do.
#[derive(Debug, Parser)]
#[command(name = "sti", bin_name = "sti", version, max_term_width = 100, after_help = EXAMPLES, disable_help_subcommand = true, propagate_version = false)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) output: Output,
}

const EXAMPLES: &str = "\
Examples:
  sti build . registry.example.com/builders/python app:1
      builds the current directory with a builder image into the image app:1
  sti build . builder app:2 --strategy commit -e DEBUG=1
      one new layer on the builder image, with a variable for the scripts and the product
  sti build . builder app:3 --runtime slim-runtime
      an extended build: what the builder makes is deployed into another image
  sti plan . builder app:1
      shows what the build would do, and does nothing

Exit codes:
  0 done; 1 the project or an image failed; 2 the request makes no sense; 3 refused by policy;
  4 a plugin failed; 5 the engine or the network failed; 70 a mistake of sti; 130, 143 interrupted

`sti COMMAND --help` has the whole page of a command.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Build an image from source and a builder image
    ///
    /// The builder image carries the scripts: `/usr/bin/prepare` builds the source at /tmp/src, `/usr/bin/run` becomes the command of the
    /// product, and `/usr/bin/save-artifacts`, where there is one, hands over from the previous product what the next build can reuse.
    ///
    /// Nothing is tagged unless everything succeeded. A failed or interrupted build leaves the earlier product and the engine as they
    /// were. Progress and the scripts' output go to standard error, the answer to standard output.
    #[command(after_help = BUILD_EXAMPLES)]
    Build(Box<BuildCommand>),
    /// Show what a build would do, and do nothing
    ///
    /// Takes the arguments of `sti build` and does everything up to approval. It may pull images as `--pull` says and look into them,
    /// and does nothing else. With `--json` the plan is printed for machines; docs/plan.schema.json describes it.
    Plan(Box<PlanCommand>),
    /// Fetch a source, and build nothing
    ///
    /// Shows what a build of the same address would be given: in DIR, or, without it, kept in the cache for the next build, which then asks
    /// the server one question. Who fetches is a plugin in the sandbox; what it writes is judged path by path.
    ///
    /// What was fetched stays in the cache (`~/.cache/sti/sources`) until more than 5 GiB are kept; then what was not used for longest goes.
    /// The variable `STI_CACHE_SIZE` sets another size, such as `20G`, and `0` keeps nothing. `sti gc --sources` removes all of it.
    Fetch(FetchCommand),
    /// Check whether an image can build source
    ///
    /// Says all that is wrong with it. Pulls what is missing. Exits with 0 only if every image passes, and with 1 if one does not.
    Validate(ValidateCommand),
    /// Build a product again, as its labels say that it was built
    ///
    /// Shows the `sti build` that it does. Flags of `sti build` may follow, and count more than the labels: `sti rebuild app:1 app:2 -e DEBUG=1`.
    ///
    /// Labels are whoever's who made the image. They may name what is open to anybody: images, a directory in the current one, servers at
    /// public addresses without a login. For the rest (other files of this machine, private addresses, ssh and logins, scripts as root) say it
    /// yourself: `--source`, `--allow-host`, `--assemble-user`; or all at once by `--trust-labels`.
    Rebuild(RebuildCommand),
    /// Let a builder image explain itself
    ///
    /// Runs its script `usage` in a container without network and prints what that says. The script is looked for where the image's label
    /// `io.openshift.s2i.scripts-url` says, else in /usr/libexec/s2i. Images of the contract `prepare` have none.
    Usage(UsageCommand),
    /// List the plugins, or show what one needs
    ///
    /// Lists the plugins by name, with the digests that a policy file vets. With FILE it shows what that component is and what it may use.
    Plugins(PluginsCommand),
    /// Remove what dead builds left in the engine, and fetched sources that are of no use
    ///
    /// A build that was killed, or lost its engine, leaves containers and volumes. The next build of the same user removes them too. A
    /// build that is alive is never touched, and neither is one of another machine or user. A container that `--debug` kept goes as well.
    ///
    /// Of the fetched sources in the cache those go that cannot be used any more, and of the rest what was not used for longest, until no
    /// more is kept than `STI_CACHE_SIZE` says. What a build uses stays.
    Gc(GcCommand),
    /// Write the beginnings of a builder image
    ///
    /// Makes a Dockerfile, the scripts of a contract, an application to try them on and a test that does. All of it works as it stands, for static
    /// files, and is meant to be changed. Nothing is overwritten.
    Create(CreateCommand),
    /// Check engine, sockets, disk, sandbox and cache
    ///
    /// Says what to do about what is missing. Exits with 0 only if all is well, and with 1 if something is not.
    Doctor(EngineCommand),
    /// Show the versions of everything that matters
    Version(EngineCommand),
}

const BUILD_EXAMPLES: &str = "\
Examples:
  sti build . registry.example.com/builders/python app:1
  sti build ./app builder app:2 --strategy commit -e DEBUG=1 -e GREETING=hello
  sti build . builder app:3 --runtime slim-runtime --rm-previous
  sti build . builder app:4 --network none --pull never --json
  sti build . builder app:5 --strategy ./my-strategy.wasm --set theme=dark";

/// How things are told; the same for every command.
#[derive(Clone, Debug, Args)]
pub(crate) struct Output {
    /// Print only the result: the product's id of a build, nothing else
    #[arg(short, long, global = true, help_heading = "Output", conflicts_with = "json")]
    pub(crate) quiet: bool,
    /// Print JSON: one event a line for a build, one document for the other commands
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
    /// Tell every request to the engine and every grant, with times; keep the container of a failed build
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) debug: bool,
    /// Colour the output
    ///
    /// `auto` colours on a terminal, unless the variable `NO_COLOR` is set.
    #[arg(long, global = true, help_heading = "Output", value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// Where containers run, and by which policy.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Place {
    /// The engine: `unix://PATH`, `tcp://HOST:PORT`, `http(s)://HOST:PORT`
    ///
    /// Otherwise: the variable `DOCKER_HOST`, the docker context in use, the standard sockets of Docker and of Podman, in this order. An
    /// engine that was named and does not answer is an error; no other is tried instead.
    #[arg(short = 'U', long, value_name = "ENDPOINT", help_heading = "Engine")]
    pub(crate) url: Option<String>,
    /// What runs containers
    #[arg(long, value_name = "ENGINE", default_value = "auto", help_heading = "Engine")]
    pub(crate) engine: EngineChoice,
    /// A policy file to be held to; only where there is no /etc/sti/policy.toml
    ///
    /// The variable `STI_POLICY` does the same.
    #[arg(long, value_name = "FILE", help_heading = "Engine")]
    pub(crate) policy: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineChoice {
    /// Docker or Podman, whichever answers
    #[default]
    Auto,
    /// Docker or Podman, by its socket
    Docker,
    /// Without a daemon (not in this version)
    Embedded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PullChoice {
    /// Only what the engine does not hold
    Missing,
    /// Each time
    Always,
    /// Never ask a registry
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NetworkChoice {
    /// Outgoing connections, as the engine gives them by default
    Outgoing,
    /// None at all
    None,
}

/// How a source is fetched that is not on this machine as it is to be built.
#[derive(Debug, Default, Args)]
pub(crate) struct Fetching {
    /// Branch, tag or commit; `#REF` at the end of SOURCE does the same
    #[arg(short, long, value_name = "REF", help_heading = "Fetching")]
    pub(crate) r#ref: Option<String>,
    /// Who fetches: a name that `sti plugins` lists, or the path of a component (.wasm). Otherwise the address decides
    #[arg(long, value_name = "NAME|FILE.wasm", help_heading = "Fetching")]
    pub(crate) fetcher: Option<String>,
    /// Leave out so many directories above everything in an archive; `auto` leaves out the one that all lies in, if there is one
    #[arg(long, value_name = "N|auto", help_heading = "Fetching")]
    pub(crate) strip_components: Option<String>,
    /// Leave submodules of a git repository out
    #[arg(long, help_heading = "Fetching")]
    pub(crate) no_submodules: bool,
    /// What becomes of files that Git LFS keeps: `fetch` them, or `skip` them and leave pointers
    #[arg(long, value_name = "WHAT", help_heading = "Fetching")]
    pub(crate) lfs: Option<String>,
    /// A setting of the fetcher, as its card declares it; repeatable
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Fetching")]
    pub(crate) fetch_set: Vec<String>,
    /// What an archive must be, as it comes: `sha256:` and its digits
    #[arg(long, value_name = "sha256:DIGITS", help_heading = "Fetching")]
    pub(crate) checksum: Option<String>,
    /// A host that may be reached beside the one in SOURCE, such as one that it redirects to; repeatable
    ///
    /// `HOST`, `HOST:PORT` or `*.DOMAIN` are reached at public addresses, and `ADDRESS` or `NETWORK/BITS` as they are.
    #[arg(long, value_name = "HOST", help_heading = "Fetching")]
    pub(crate) allow_host: Vec<String>,
    /// Certificate authorities to be trusted beside the system's, in PEM
    #[arg(long, value_name = "FILE", help_heading = "Fetching")]
    pub(crate) ca_cert: Option<PathBuf>,
    /// Fetch all of it anew, and keep nothing of it for later builds
    #[arg(long, help_heading = "Fetching")]
    pub(crate) no_cache: bool,
    /// How much may be fetched: `entries`, `bytes`, `path-bytes`, `depth`, `download-bytes`, `total-seconds`; repeatable
    ///
    /// Without it: 1,000,000 entries, 32 GiB together, 4,096 bytes a path, 512 levels, 32 GiB a download, 6 hours. Where a policy file
    /// sets one of them, it can only be narrowed.
    #[arg(long, value_name = "NAME=NUMBER", help_heading = "Fetching")]
    pub(crate) limit: Vec<String>,
}

impl Assembling {
    /// The contract that these flags are about, where any was given.
    pub(crate) fn contract(&self) -> Option<ContractChoice> {
        let given = [&self.scripts_url, &self.destination, &self.assemble_user, &self.assemble_runtime_user];
        let is_given = given.iter().any(|flag| flag.is_some()) || !self.runtime_artifact.is_empty();
        is_given.then_some(ContractChoice::Assemble)
    }

    /// Whether scripts are read from a server.
    pub(crate) fn are_scripts_on_a_server(&self) -> bool {
        self.scripts_url.as_deref().is_some_and(|url| url.starts_with("http://") || url.starts_with("https://"))
    }
}

impl Fetching {
    /// The flags that were given, `--ref` apart.
    pub(crate) fn flags(&self) -> impl Iterator<Item = &'static str> {
        let given = [
            ("--fetcher", self.fetcher.is_some()),
            ("--strip-components", self.strip_components.is_some()),
            ("--no-submodules", self.no_submodules),
            ("--lfs", self.lfs.is_some()),
            ("--fetch-set", !self.fetch_set.is_empty()),
            ("--checksum", self.checksum.is_some()),
            ("--allow-host", !self.allow_host.is_empty()),
            ("--ca-cert", self.ca_cert.is_some()),
            ("--limit", !self.limit.is_empty()),
        ];
        given.into_iter().filter(|(_, is_given)| *is_given).map(|(flag, _)| flag)
    }
}

#[derive(Debug, Args)]
pub(crate) struct FetchCommand {
    /// What to fetch: an archive or a git repository, as `sti build` takes it
    pub(crate) source: PathBuf,
    /// Where to put it: a directory that is empty, or not there yet. Without it the source is kept in the cache, and nothing else
    pub(crate) dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) fetching: Fetching,
    /// A policy file to be held to; only where there is no /etc/sti/policy.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct BuildCommand {
    #[command(flatten)]
    pub(crate) what: WhatToBuild,
    /// Delete the image that TAG pointed to before
    #[arg(long)]
    pub(crate) rm_previous: bool,
    /// End as soon as the product has its tag, and have a process in the background clean up
    ///
    /// Otherwise the answer is given as early, and sti ends when the containers and volumes of the build are removed. Where the background
    /// process is killed, the next build on this engine removes them, or `sti gc`. A build that fails is always waited for.
    #[arg(long, conflicts_with_all = ["rm_previous", "run"])]
    pub(crate) no_wait_cleanup: bool,
    /// Post to this address how the build ended, whether well or not: `http://` or `https://`
    ///
    /// The body is JSON: `success`, `labels` of the product, `tag`, `image`, `condition`, `message`, `milliseconds`. Tried three times, for
    /// half a minute at most. An address that does not take it is a warning, and changes nothing of the exit code.
    #[arg(long, value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) callback_url: Option<String>,
    /// Accepted for those who know it from s2i, and says that there is nothing to save
    #[arg(long)]
    pub(crate) save_temp_dir: bool,
    /// Run the product once it is built, until it ends or is interrupted
    ///
    /// By its own entrypoint and command, as its own user, with the network that `--network` gives; no port is published. What it prints goes
    /// to standard output and standard error as it is. Its container is removed afterwards. An exit code other than 0 is `run-failed`.
    #[arg(long)]
    pub(crate) run: bool,
    /// Write the build as a Dockerfile, and build nothing
    ///
    /// PATH is the Dockerfile, or a directory for it. What it copies is put beside it, in PATH.context; the command that builds both is
    /// printed. Only what an earlier call has written there is replaced. The same input gives the same Dockerfile, always of a clean build.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["rm_previous", "no_wait_cleanup", "dir", "run", "callback_url"])]
    pub(crate) as_dockerfile: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct PlanCommand {
    #[command(flatten)]
    pub(crate) what: WhatToBuild,
}

#[derive(Debug, Args)]
pub(crate) struct WhatToBuild {
    /// A directory, a single file, which arrives as it is, or an address that is fetched
    ///
    /// A directory is only read. A `.s2iignore` in it (or `.stiignore`, or `.dockerignore`) leaves files out by gitignore rules; `.git` is
    /// always left out. Addresses: `archive:FILE` (tar, zip; `-` for standard input), `https://HOST/app-1.0.tar.gz`, a git repository as
    /// `https://HOST/app.git`, `git://…`, `ssh://…`, `user@host:path` or `git:DIR`, with `#REF` for a branch, tag or commit.
    pub(crate) source: PathBuf,
    /// The image that knows how to build the source
    #[arg(value_name = "BUILDER_IMAGE")]
    pub(crate) builder_image: String,
    /// The name of the image that comes out
    #[arg(value_name = "TAG")]
    pub(crate) tag: String,
    /// Who decides how the image is made: a name that `sti plugins` lists, or the path of a component (.wasm)
    #[arg(short = 'm', long, visible_alias = "method", value_name = "NAME|FILE.wasm", default_value = crate::pipeline::DEFAULT_STRATEGY)]
    pub(crate) strategy: String,
    /// Ignore an earlier product: reuse nothing
    #[arg(long)]
    pub(crate) clean: bool,
    /// Reuse what an earlier product saves; with `=require` it is an error where that cannot be
    ///
    /// By `prepare` a build is incremental wherever it can be, by `assemble` only where this asks for it. Where `save-artifacts` fails
    /// by `assemble`, the build warns and becomes a clean one, unless that is refused with `=require`.
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "wanted", conflicts_with = "clean")]
    pub(crate) incremental: Option<IncrementalChoice>,
    #[command(flatten)]
    pub(crate) assembling: Assembling,
    #[command(flatten)]
    pub(crate) configured: Configured,
    /// A variable for the scripts and the product; repeatable
    ///
    /// One value may hold a comma-separated list (A=1,B=2) when every piece has the form NAME=VALUE; otherwise the commas belong to
    /// the value.
    #[arg(short, long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,
    /// Variables from a file, one a line, `#` begins a comment; repeatable. `--env` wins
    #[arg(short = 'E', long, value_name = "FILE")]
    pub(crate) env_file: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) lent: Lent,
    /// Deploy the result into this image: an extended build
    #[arg(short = 'R', long, visible_alias = "runtime-image", value_name = "IMAGE")]
    pub(crate) runtime: Option<String>,
    #[command(flatten)]
    pub(crate) fetching: Fetching,
    /// Build only this part of the source
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) context_dir: String,
    /// Put what is generated here and keep it: the plan, and the Dockerfile where there is one
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// When builder and runtime image are pulled
    #[arg(long, value_name = "WHEN", default_value = "missing")]
    pub(crate) pull: PullChoice,
    /// A setting of the strategy, as its card declares it; repeatable
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// What containers of this build may reach
    #[arg(long, value_name = "WHAT", default_value = "outgoing")]
    pub(crate) network: NetworkChoice,
    /// A label of the product; repeatable
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) label: Vec<String>,
    /// How people shall call the product; its name where this is left out
    #[arg(short = 'n', long, value_name = "NAME")]
    pub(crate) application_name: Option<String>,
    /// What the product is, for people
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    #[command(flatten)]
    pub(crate) allowing: Allowing,
    /// The contract that the images follow, where it is not found out right
    #[arg(long, value_name = "NAME")]
    pub(crate) contract: Option<ContractChoice>,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// What images may do in a build beyond running their scripts, and who as.
#[derive(Debug, Default, Args)]
pub(crate) struct Allowing {
    /// Carry ONBUILD instructions of builder and runtime image out
    ///
    /// They come before the scripts, with the source as their build context, as in a build of the engine's own. Without this an image that
    /// has any is refused.
    #[arg(long)]
    pub(crate) allow_onbuild: bool,
    /// Who scripts and product may run as, by number: `1-`, `1000-1999,65534`
    ///
    /// Names are looked up in the image. Holds for builder and runtime image, for `--assemble-user` and for ONBUILD instructions.
    #[arg(short = 'u', long, value_name = "RANGES")]
    pub(crate) allowed_uids: Option<UidRanges>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ContractChoice {
    /// Scripts `prepare`, `run`, `save-artifacts` in /usr/bin
    Prepare,
    /// Scripts `assemble`, `run`, `save-artifacts` where the image's label or the source has them
    Assemble,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum IncrementalChoice {
    /// Where it can be
    #[value(alias = "true")]
    Wanted,
    /// Or the build fails
    Require,
    /// As the contract has it
    #[value(hide = true)]
    False,
}

/// What is said of builder images by the contract `assemble` only, and so chooses it.
#[derive(Debug, Default, Args)]
pub(crate) struct Assembling {
    /// Where the scripts are: `image:///DIRECTORY`, `file:///DIRECTORY` or `https://HOST/DIRECTORY`
    ///
    /// With `#sha256=DIGITS` behind `file://` and `https://`, DIGITS are those of a file SHA256SUMS in that directory, as `sha256sum` writes
    /// it, and only scripts that it lists are used. A server of a redirect is named by `--allow-host`. Otherwise each script is looked for in `.s2i/bin` of the source, then where the image's label `io.openshift.s2i.scripts-url` says, then
    /// in /usr/libexec/s2i.
    #[arg(short, long, value_name = "URL", value_parser = NonEmptyStringValueParser::new(), help_heading = "Contract assemble")]
    pub(crate) scripts_url: Option<String>,
    /// The directory below which source, scripts and artifacts arrive
    ///
    /// Otherwise the image's label `io.openshift.s2i.destination` says it, else it is /tmp.
    #[arg(long, value_name = "DIR", value_parser = NonEmptyStringValueParser::new(), help_heading = "Contract assemble")]
    pub(crate) destination: Option<String>,
    /// Who the scripts run as that build and save artifacts
    ///
    /// Otherwise the image's label `io.openshift.s2i.assemble-user` says it, else it is the image's own user. The product's user stays.
    #[arg(long, value_name = "USER", value_parser = NonEmptyStringValueParser::new(), help_heading = "Contract assemble")]
    pub(crate) assemble_user: Option<String>,
    /// What an extended build takes of the builder: `PATH[:DIRECTORY]`; repeatable
    ///
    /// DIRECTORY is below the working directory of the runtime image, and is that itself where it is left out. The last part of PATH may be
    /// a pattern (`'/opt/*.jar:lib'`), and `PATH:=NEW_PATH` gives another name. Otherwise the runtime image's label
    /// `io.openshift.s2i.assemble-input-files` says it.
    #[arg(short = 'a', long, value_name = "PATH[:DIRECTORY]", value_parser = NonEmptyStringValueParser::new(), help_heading = "Contract assemble")]
    pub(crate) runtime_artifact: Vec<String>,
    /// Who the script `assemble-runtime` runs as
    ///
    /// Otherwise the runtime image's label `io.openshift.s2i.assemble-runtime-user` says it, else it is that image's own user.
    #[arg(long, value_name = "USER", value_parser = NonEmptyStringValueParser::new(), help_heading = "Contract assemble")]
    pub(crate) assemble_runtime_user: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateCommand {
    /// The image to check
    #[arg(value_name = "BUILDER_IMAGE")]
    pub(crate) builder_image: String,
    /// Also require that it can hand over artifacts
    #[arg(short = 'I', long)]
    pub(crate) incremental: bool,
    /// Also check this runtime image, and (by `prepare`) the builder for incremental builds
    #[arg(short = 'R', long, value_name = "IMAGE")]
    pub(crate) runtime: Option<String>,
    /// When images are pulled
    #[arg(long, value_name = "WHEN", default_value = "missing")]
    pub(crate) pull: PullChoice,
    /// The contract that the images follow, where it is not found out right
    #[arg(long, value_name = "NAME")]
    pub(crate) contract: Option<ContractChoice>,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct UsageCommand {
    /// The image to be explained
    pub(crate) image: String,
    /// Where the image has its scripts, if it does not say so itself: `image:///DIRECTORY`
    #[arg(short, long, value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) scripts_url: Option<String>,
    /// When the image is pulled
    #[arg(long, value_name = "WHEN", default_value = "missing")]
    pub(crate) pull: PullChoice,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct RebuildCommand {
    /// Build this instead of what the label `io.openshift.s2i.build.source-location` names
    #[arg(long, value_name = "SOURCE")]
    pub(crate) source: Option<OsString>,
    /// Take what the labels say for your own words
    #[arg(long)]
    pub(crate) trust_labels: bool,
    /// The product, which `sti` or `s2i` has built
    #[arg(value_name = "IMAGE")]
    pub(crate) image: String,
    /// What the new product is called, if not like IMAGE, and flags of `sti build`
    #[arg(value_name = "TAG] [FLAGS OF sti build", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) words: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct PluginsCommand {
    /// A component to look at
    pub(crate) file: Option<PathBuf>,
    /// A policy file to be held to; only where there is no /etc/sti/policy.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct EngineCommand {
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct GcCommand {
    /// Remove all fetched sources that no build uses, and nothing else: no engine is asked
    #[arg(long)]
    pub(crate) sources: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}
